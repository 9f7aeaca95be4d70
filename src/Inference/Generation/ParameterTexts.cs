using Seq2Seq.Inference.Generation.Constraints;
using Seq2Seq.Inference.Generation.Stopping;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Generation;

/// <summary>Reads generation parameters that are texts, with the model's tokenizer. Thread-safe.</summary>
/// <param name="Tokenizer">Null where the model's folder has none that can be used.</param>
/// <param name="WhyNone">Why it has none.</param>
/// <param name="VocabularySize">Number of logits.</param>
internal sealed record ParameterTexts(Tokenizer? Tokenizer, string? WhyNone, int VocabularySize)
{
    /// <summary>Lists of allowed outputs that stay at hand: a job's shards come one after the other, with the same.</summary>
    private const int KeptTries = 4;

    /// <summary>Without a tokenizer.</summary>
    public static ParameterTexts None { get; } = new(Tokenizer: null, "there is none.", VocabularySize: 0);

    private readonly Lazy<TokenBytes> _tokenBytes = new(() => new TokenBytes(Tokenizer!, VocabularySize));
    private readonly Lock _lock = new();
    private readonly LinkedList<KnownTrie> _tries = [];

    /// <summary>How the call's targets become tokens.</summary>
    public EncodeOptions Target { get; init; } = EncodeOptions.Default with { AsTarget = true };

    private EncodeOptions Unframed => Target with { AddSpecialTokens = false };

    /// <exception cref="GenerationParametersException">There is no tokenizer.</exception>
    public StopStringMatcher ReadStopStrings(StopStrings texts)
    {
        Require("stop_strings");
        return new StopStringMatcher(texts, _tokenBytes.Value);
    }

    /// <summary>The tokens of a text that outputs begin with, without end token.</summary>
    /// <exception cref="GenerationParametersException">There is no tokenizer, or it can't read the text.</exception>
    public IReadOnlyList<int> ReadPrefix(string text, int? forcedBosTokenId)
    {
        IReadOnlyList<int> tokens = Encode("target_prefix", text, Unframed);
        return tokens.Count > 0
            ? Prefix(tokens, forcedBosTokenId)
            : throw new GenerationParametersException("target_prefix", "'target_prefix' has no tokens.");
    }

    /// <summary>The tokens of a text behind the one that outputs must begin with: it is forced on sequences without prefix only.</summary>
    public static IReadOnlyList<int> Prefix(IReadOnlyList<int> tokens, int? forcedBosTokenId) =>
        forcedBosTokenId is { } bos ? [bos, .. tokens] : tokens;

    /// <param name="outputs">Texts or token ids, at least one.</param>
    /// <param name="forcedBosTokenId">The token that outputs must begin with, if any.</param>
    /// <param name="endTokens">The tokens that end an output.</param>
    /// <exception cref="GenerationParametersException">There are texts and no tokenizer, or it can't read one.</exception>
    public OutputTrie ReadAllowedOutputs(
        IReadOnlyList<AllowedOutput> outputs,
        int? forcedBosTokenId,
        TokenIds endTokens
    )
    {
        lock (_lock)
        {
            for (LinkedListNode<KnownTrie>? node = _tries.First; node is not null; node = node.Next)
            {
                if (node.Value.Is(outputs, Target, forcedBosTokenId, endTokens))
                {
                    _tries.Remove(node);
                    _tries.AddFirst(node);
                    return node.Value.Trie;
                }
            }
        }

        OutputTrie trie = new(outputs.Select(output => output.TokenIds ?? ReadOutput(output.Text!)), endTokens);
        lock (_lock)
        {
            _tries.AddFirst(new KnownTrie(outputs, Target, forcedBosTokenId, endTokens, trie));
            if (_tries.Count > KeptTries)
            {
                _tries.RemoveLast();
            }
        }

        return trie;

        IReadOnlyList<int> ReadOutput(string text)
        {
            if (forcedBosTokenId is { } bos)
            {
                // The tokenizer's own frame may name another language.
                return [bos, .. Encode("allowed_outputs", text, Unframed)];
            }

            // Some frames have the language behind the end token, where nothing is generated any more.
            IReadOnlyList<int> tokens = Encode("allowed_outputs", text, Target);
            return [.. tokens.TakeWhile(token => !endTokens.Contains(token))];
        }
    }

    private IReadOnlyList<int> Encode(string name, string text, EncodeOptions options)
    {
        Require(name);
        try
        {
            return Tokenizer!.Encode(text, options);
        }
        catch (EncodeException exception)
        {
            throw new GenerationParametersException(name, $"'{name}': {exception.Message}");
        }
    }

    private void Require(string name)
    {
        if (Tokenizer is null)
        {
            throw new GenerationParametersException(
                name,
                $"'{name}' has text, which needs the model's tokenizer: {WhyNone}"
            );
        }
    }

    private sealed record KnownTrie(
        IReadOnlyList<AllowedOutput> Outputs,
        EncodeOptions Target,
        int? ForcedBosTokenId,
        TokenIds EndTokens,
        OutputTrie Trie
    )
    {
        public bool Is(
            IReadOnlyList<AllowedOutput> outputs,
            EncodeOptions target,
            int? forcedBosTokenId,
            TokenIds endTokens
        ) =>
            Target == target
            && ForcedBosTokenId == forcedBosTokenId
            && EndTokens.Equals(endTokens)
            && Outputs.Count == outputs.Count
            && Outputs
                .Zip(outputs)
                .All(pair =>
                    string.Equals(pair.First.Text, pair.Second.Text, StringComparison.Ordinal)
                    && (pair.First.TokenIds ?? []).SequenceEqual(pair.Second.TokenIds ?? [])
                );
    }
}
