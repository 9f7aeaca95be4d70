using Seq2Seq.Inference.Generation.Constraints;
using Seq2Seq.Inference.Generation.Stopping;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Generation;

/// <summary>Reads generation parameters that are texts, with the model's tokenizer. Thread-safe.</summary>
/// <param name="tokenizer">Null where the model's folder has none that can be used.</param>
/// <param name="whyNone">Why it has none.</param>
/// <param name="vocabularySize">Number of logits.</param>
internal sealed class ParameterTexts(Tokenizer? tokenizer, string? whyNone, int vocabularySize)
{
    /// <summary>Lists of allowed outputs that stay at hand: a job's shards come one after the other, with the same.</summary>
    private const int KeptTries = 4;

    /// <summary>Without a tokenizer.</summary>
    public static ParameterTexts None { get; } = new(tokenizer: null, "there is none.", vocabularySize: 0);

    private static readonly EncodeOptions Unframed = new() { AddSpecialTokens = false, AsTarget = true };
    private static readonly EncodeOptions Framed = new() { AsTarget = true };

    private readonly Lazy<TokenBytes> _tokenBytes = new(() => new TokenBytes(tokenizer!, vocabularySize));
    private readonly Lock _lock = new();
    private readonly LinkedList<KnownTrie> _tries = [];

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
                if (node.Value.Is(outputs, forcedBosTokenId, endTokens))
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
            _tries.AddFirst(new KnownTrie(outputs, forcedBosTokenId, endTokens, trie));
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
            IReadOnlyList<int> tokens = Encode("allowed_outputs", text, Framed);
            return [.. tokens.TakeWhile(token => !endTokens.Contains(token))];
        }
    }

    private IReadOnlyList<int> Encode(string name, string text, EncodeOptions options)
    {
        Require(name);
        try
        {
            return tokenizer!.Encode(text, options);
        }
        catch (EncodeException exception)
        {
            throw new GenerationParametersException(name, $"'{name}': {exception.Message}");
        }
    }

    private void Require(string name)
    {
        if (tokenizer is null)
        {
            throw new GenerationParametersException(
                name,
                $"'{name}' has text, which needs the model's tokenizer: {whyNone}"
            );
        }
    }

    private sealed record KnownTrie(
        IReadOnlyList<AllowedOutput> Outputs,
        int? ForcedBosTokenId,
        TokenIds EndTokens,
        OutputTrie Trie
    )
    {
        public bool Is(IReadOnlyList<AllowedOutput> outputs, int? forcedBosTokenId, TokenIds endTokens) =>
            ForcedBosTokenId == forcedBosTokenId
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
