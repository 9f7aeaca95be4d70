using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Generation options that a caller sets, under Hugging Face's own names and with their meaning in transformers 5.17
/// (GenerationConfig), and with them what its tokenizers are told of a text; null means the model's default. Read them with <see cref="GenerationParametersJson"/>, which refuses
/// unknown names; <see cref="GenerationParametersCheck"/> holds them against their ranges.
/// </summary>
public sealed record GenerationParameters
{
    /// <summary>No option set: the model's defaults.</summary>
    public static GenerationParameters Default { get; } = new();

    /// <summary>1 is greedy (or sampling), more is beam search.</summary>
    [JsonPropertyName("num_beams")]
    public int? NumBeams { get; init; }

    /// <summary>Outputs of one line, best first; at most <see cref="NumBeams"/>, but any number when sampling without beams.</summary>
    [JsonPropertyName("num_return_sequences")]
    public int? NumReturnSequences { get; init; }

    /// <summary>Tokens to generate at most, the end token included. Wins over <see cref="MaxLength"/>.</summary>
    [JsonPropertyName("max_new_tokens")]
    public int? MaxNewTokens { get; init; }

    /// <summary>Longest sequence, the decoder start token included.</summary>
    [JsonPropertyName("max_length")]
    public int? MaxLength { get; init; }

    /// <summary>Tokens to generate before the end token may come. Wins over <see cref="MinLength"/>.</summary>
    [JsonPropertyName("min_new_tokens")]
    public int? MinNewTokens { get; init; }

    /// <summary>Length, decoder start token included, before which the end token may not come.</summary>
    [JsonPropertyName("min_length")]
    public int? MinLength { get; init; }

    /// <summary>A sequence's score is its sum of log-probabilities divided by length ^ this.</summary>
    [JsonPropertyName("length_penalty")]
    public double? LengthPenalty { get; init; }

    /// <summary><c>true</c>, <c>false</c> or <c>"never"</c>.</summary>
    [JsonPropertyName("early_stopping")]
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Draws tokens at random instead of taking the likeliest.</summary>
    [JsonPropertyName("do_sample")]
    public bool? DoSample { get; init; }

    /// <summary>
    /// Where the random numbers of sampling begin: the same seed gives the same outputs on the same machine. Null draws anew
    /// each time. Not in GenerationConfig: transformers has torch's global seed.
    /// </summary>
    [JsonPropertyName("seed")]
    public long? Seed { get; init; }

    /// <summary>Sampling: scores are divided by this.</summary>
    [JsonPropertyName("temperature")]
    public double? Temperature { get; init; }

    /// <summary>Sampling: only the likeliest tokens, this many; 0 is off, 50 the default.</summary>
    [JsonPropertyName("top_k")]
    public int? TopK { get; init; }

    /// <summary>Sampling: only the likeliest tokens that together have this probability; 1 is off.</summary>
    [JsonPropertyName("top_p")]
    public double? TopP { get; init; }

    /// <summary>Sampling: only tokens at least this many times as likely as the likeliest.</summary>
    [JsonPropertyName("min_p")]
    public double? MinP { get; init; }

    /// <summary>Sampling: only the most typical tokens that together have this probability; 1 is off.</summary>
    [JsonPropertyName("typical_p")]
    public double? TypicalP { get; init; }

    /// <summary>Sampling: only tokens of at least this probability; 0 is off.</summary>
    [JsonPropertyName("epsilon_cutoff")]
    public double? EpsilonCutoff { get; init; }

    /// <summary>Sampling: the same, with a threshold that falls as the entropy grows; 0 is off.</summary>
    [JsonPropertyName("eta_cutoff")]
    public double? EtaCutoff { get; init; }

    /// <summary>
    /// Greedy search guesses tokens from the source and from earlier outputs, and verifies several in a step: the outputs are
    /// the same, the time is not. Null is false. Not in GenerationConfig.
    /// </summary>
    [JsonPropertyName("drafting")]
    public bool? Drafting { get; init; }

    /// <summary>The language of the sources, in the tokenizer's spelling; the tokenizer's default when null.</summary>
    [JsonPropertyName("src_lang")]
    public string? SourceLanguage { get; init; }

    /// <summary>
    /// The language to answer in, in the tokenizer's spelling: it sets <see cref="ForcedBosTokenId"/>, as transformers' translation
    /// pipeline does, or stands in front of the source where the model wants that (Marian). Targets to score are in it.
    /// </summary>
    [JsonPropertyName("tgt_lang")]
    public string? TargetLanguage { get; init; }

    /// <summary>What becomes of a line of text that is too long; null is an error. Not in GenerationConfig.</summary>
    [JsonPropertyName("long_lines")]
    public LongLinePolicy? LongLines { get; init; }

    /// <summary>Tokens of a source at most; null is what the model takes. The name of transformers' example scripts.</summary>
    [JsonPropertyName("max_source_length")]
    public int? MaxSourceLength { get; init; }

    /// <summary>
    /// Special tokens that stand in a text (<c>&lt;/s&gt;</c>) are characters like all others; null is false. A tokenizer's option of
    /// this name.
    /// </summary>
    [JsonPropertyName("split_special_tokens")]
    public bool? SplitSpecialTokens { get; init; }

    /// <summary>
    /// Source tokens that see, and are seen by, the whole line where the encoder's tokens see only those near them (LED):
    /// <c>"none"</c>, which null is too, or <c>"first_token"</c>, as <c>global_attention_mask[:, 0] = 1</c> does in
    /// transformers. Not in GenerationConfig.
    /// </summary>
    [JsonPropertyName("global_attention")]
    public GlobalAttention? GlobalAttention { get; init; }

    /// <summary>
    /// False: outputs of greedy search have no score, and so need not compute the logits of all tokens. Null is true. CTranslate2's
    /// name; not in GenerationConfig.
    /// </summary>
    [JsonPropertyName("return_scores")]
    public bool? ReturnScores { get; init; }

    /// <summary>Outputs bring the log-probability of each token. Not in GenerationConfig.</summary>
    [JsonPropertyName("token_logprobs")]
    public bool? TokenLogprobs { get; init; }

    /// <summary>Above 1 makes tokens that the output already holds less likely.</summary>
    [JsonPropertyName("repetition_penalty")]
    public double? RepetitionPenalty { get; init; }

    /// <summary>Above 1 makes tokens of the source more likely.</summary>
    [JsonPropertyName("encoder_repetition_penalty")]
    public double? EncoderRepetitionPenalty { get; init; }

    /// <summary>No run of this many tokens comes twice in the output; 0 is off.</summary>
    [JsonPropertyName("no_repeat_ngram_size")]
    public int? NoRepeatNgramSize { get; init; }

    /// <summary>No run of this many tokens of the source comes in the output; 0 is off.</summary>
    [JsonPropertyName("encoder_no_repeat_ngram_size")]
    public int? EncoderNoRepeatNgramSize { get; init; }

    /// <summary>Token sequences that must not be generated.</summary>
    [JsonPropertyName("bad_words_ids")]
    public IReadOnlyList<IReadOnlyList<int>>? BadWordsIds { get; init; }

    /// <summary>Pairs of a token sequence and what to add to the score of completing it.</summary>
    [JsonPropertyName("sequence_bias")]
    public IReadOnlyList<SequenceBias>? SequenceBias { get; init; }

    /// <summary>Tokens that are never generated.</summary>
    [JsonPropertyName("suppress_tokens")]
    public IReadOnlyList<int>? SuppressTokens { get; init; }

    /// <summary>Tokens that are not generated first.</summary>
    [JsonPropertyName("begin_suppress_tokens")]
    public IReadOnlyList<int>? BeginSuppressTokens { get; init; }

    /// <summary>The first token generated, such as a target language.</summary>
    [JsonPropertyName("forced_bos_token_id")]
    public int? ForcedBosTokenId { get; init; }

    /// <summary>The last token, when the length limit is reached.</summary>
    [JsonPropertyName("forced_eos_token_id")]
    public TokenIds? ForcedEosTokenId { get; init; }

    /// <summary>A pair (start, factor): from that many new tokens on, the end token's score grows exponentially.</summary>
    [JsonPropertyName("exponential_decay_length_penalty")]
    public ExponentialDecay? ExponentialDecayLengthPenalty { get; init; }

    /// <summary>Replaces NaN and infinite scores by finite ones.</summary>
    [JsonPropertyName("remove_invalid_values")]
    public bool? RemoveInvalidValues { get; init; }

    /// <summary>Makes log-probabilities of the scores again after all the other options changed them.</summary>
    [JsonPropertyName("renormalize_logits")]
    public bool? RenormalizeLogits { get; init; }

    /// <summary>The token that decoding starts from; it is not part of the output.</summary>
    [JsonPropertyName("decoder_start_token_id")]
    public int? DecoderStartTokenId { get; init; }

    [JsonPropertyName("bos_token_id")]
    public int? BosTokenId { get; init; }

    /// <summary>The token, or tokens, that end a sequence.</summary>
    [JsonPropertyName("eos_token_id")]
    public TokenIds? EosTokenId { get; init; }

    [JsonPropertyName("pad_token_id")]
    public int? PadTokenId { get; init; }
}
