using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families;

/// <summary>
/// A family's network on its weights, bound to one device. It is only read, so that many loops may share it; each computes
/// in a forward pass of its own.
/// </summary>
internal interface INetwork : IDisposable
{
    NetworkShape Shape { get; }

    /// <summary>The model's own generation options, special tokens included.</summary>
    GenerationDefaults GenerationDefaults { get; }

    IForwardPass CreateForwardPass();
}

/// <summary>What a loop must know of a network.</summary>
internal sealed record NetworkShape
{
    public required Device Device { get; init; }

    /// <summary>Number of logits, and of token ids.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Number of token ids that the encoder takes, where it has a vocabulary of its own.</summary>
    public int? SourceVocabularySize { get; init; }

    public required int DecoderLayers { get; init; }

    /// <summary>Floats of a key and a value together, in a decoder layer's self-attention.</summary>
    public required int CacheWidth { get; init; }

    /// <summary>Floats of a key and a value together, in a decoder layer's attention to the source.</summary>
    public required int MemoryWidth { get; init; }

    /// <summary>Most tokens of a source line that the encoder has positions for; null where positions are relative.</summary>
    public int? MaxSourceTokens { get; init; }

    /// <summary>
    /// Whether a target to score starts from its own last token (shift_tokens_right of mBART and PLBART), which is its
    /// language, and not from <c>decoder_start_token_id</c>.
    /// </summary>
    public bool StartsTargetsFromTheirEnd { get; init; }

    /// <summary>Whether the encoder's first tokens may see, and be seen by, the whole line.</summary>
    public bool HasGlobalAttention { get; init; }

    /// <summary>Longest target sequence that the decoder has positions for; null where positions are relative.</summary>
    public int? MaxTargetTokens { get; init; }
}

/// <summary>The forward computation of one loop, with its working memory. Not thread-safe.</summary>
internal interface IForwardPass : IDisposable
{
    /// <summary>Encodes lines, and keeps their keys and values for the decoder in the batch's memory.</summary>
    /// <returns>The encoder's last hidden states, <c>[tokens, model width]</c>; valid until the next call.</returns>
    Rows Encode(SourceBatch source);

    /// <summary>One step of the decoder: feeds each row's token and caches its keys and values.</summary>
    /// <returns>Logits of the next tokens, <c>[rows, vocabulary]</c>; valid until the next call, and may be overwritten.</returns>
    Rows Decode(DecoderBatch batch);
}
