using System.Text.Json;
using Seq2Seq.Inference.Tests.Weights.Torch;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>
/// A way in which checkpoints of the hub differ from what transformers 5.17 saves: tied tensors under other names or all of them,
/// buffers of older versions, the base model's names alone, other files.
/// </summary>
/// <param name="Name">In words.</param>
/// <param name="IsDirect">Whether it is loaded directly; else config-first.</param>
/// <param name="Write">Writes a good model's tensors in this way; null when it has nothing of the kind.</param>
internal sealed record HubLayout(
    string Name,
    bool IsDirect,
    Func<IReadOnlyList<SavedTensor>, IReadOnlyDictionary<string, byte[]>?> Write
)
{
    private const string Safe = "model.safetensors";
    private const string Projection = ".decoder.weight";

    /// <summary>Names of one tensor; transformers saves it under the first.</summary>
    private static readonly string[][] _ties =
    [
        ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"],
        .. new[] { "model", "led" }.Select(model =>
            (string[])
                [
                    $"{model}.shared.weight",
                    $"{model}.encoder.embed_tokens.weight",
                    $"{model}.decoder.embed_tokens.weight",
                    "lm_head.weight",
                ]
        ),
        [
            "prophetnet.word_embeddings.weight",
            "prophetnet.encoder.word_embeddings.weight",
            "prophetnet.decoder.word_embeddings.weight",
            "lm_head.weight",
        ],
        ["decoder.bert.embeddings.word_embeddings.weight", "decoder.cls.predictions.decoder.weight"],
        ["decoder.bert.embeddings.word_embeddings.weight", "decoder.lm_head.decoder.weight"],
        ["decoder.electra.embeddings.word_embeddings.weight", "decoder.generator_lm_head.weight"],
        ["decoder.cls.predictions.bias", "decoder.cls.predictions.decoder.bias"],
        ["decoder.roberta.embeddings.word_embeddings.weight", "decoder.lm_head.decoder.weight"],
        ["decoder.lm_head.bias", "decoder.lm_head.decoder.bias"],
        ["decoder.transformer.wte.weight", "decoder.lm_head.weight"],
    ];

    private static readonly string[] _basePrefixes = ["model.", "led.", "prophetnet."];

    /// <summary>Buffers that older versions saved, beside a tensor whose name ends so.</summary>
    private static readonly (string Beside, string Buffer)[] _buffers =
    [
        ("embeddings.position_embeddings.weight", "embeddings.position_ids"),
        ("attn.c_attn.weight", "attn.bias"),
        ("attn.c_attn.weight", "attn.masked_bias"),
        ("EncDecAttention.q.weight", "EncDecAttention.relative_attention_bias.weight"),
        ("encoder.layer_norm.weight", "encoder.embed_positions.weights"),
        ("decoder.layer_norm.weight", "decoder.embed_positions.weights"),
        ("encoder.layernorm_embedding.weight", "encoder.version"),
        ("decoder.layernorm_embedding.weight", "decoder.version"),
    ];

    public static IReadOnlyList<HubLayout> All { get; } =
    [
        new("every tied name is stored", true, tensors => One([.. tensors, .. Tied(tensors)], tensors)),
        new("the head alone is stored of what is tied", true, tensors => One(HeadAlone(tensors), tensors)),
        new("buffers of older versions", true, tensors => One([.. tensors, .. Buffers(tensors)], tensors)),
        new("the base model's names", false, tensors => One(BaseModel(tensors), tensors)),
        new("no bias of the logits", true, tensors => One(WithoutBias(tensors), tensors)),
        new("norms as gamma and beta", false, tensors => One(OldNorms(tensors), tensors)),
        new(
            "halves that share, by the encoder's names",
            true,
            tensors => One([.. SharedHalves(tensors, keepsFirst: true)], tensors)
        ),
        new(
            "halves that share, by the decoder's names",
            true,
            tensors => One([.. SharedHalves(tensors, keepsFirst: false)], tensors)
        ),
        new("safetensors in shards", true, InShards),
        new("pytorch_model.bin alone", false, InBin),
        new("pytorch_model.bin in shards", false, InBinShards),
    ];

    public override string ToString() => Name;

    private static Dictionary<string, byte[]>? One(
        IReadOnlyList<SavedTensor>? tensors,
        IReadOnlyList<SavedTensor> original
    ) =>
        tensors is null
        || tensors
            .Select(tensor => tensor.Name)
            .SequenceEqual(original.Select(tensor => tensor.Name), StringComparer.Ordinal)
            ? null
            : new(StringComparer.Ordinal) { [Safe] = SavedTensor.Write(tensors) };

    private static IEnumerable<string[]> TiesOf(IReadOnlyList<SavedTensor> tensors) =>
        _ties.Where(names =>
            tensors.Any(tensor => tensor.Name == names[0])
            && !tensors.Any(tensor => names.AsSpan(1).Contains(tensor.Name))
            && HasHead(tensors, names[^1])
        );

    /// <summary>Whether a head's projection has its bias beside it, where heads are told apart by that.</summary>
    private static bool HasHead(IReadOnlyList<SavedTensor> tensors, string projection) =>
        !projection.EndsWith(Projection, StringComparison.Ordinal)
        || tensors.Any(tensor => tensor.Name == $"{projection[..^Projection.Length]}.bias");

    private static IEnumerable<SavedTensor> Tied(IReadOnlyList<SavedTensor> tensors) =>
        TiesOf(tensors)
            .SelectMany(names =>
                names[1..].Select(name => tensors.Single(tensor => tensor.Name == names[0]) with { Name = name })
            );

    private static SavedTensor[] HeadAlone(IReadOnlyList<SavedTensor> tensors)
    {
        var heads = TiesOf(tensors).ToDictionary(names => names[0], names => names[^1], StringComparer.Ordinal);
        return [.. tensors.Select(tensor => tensor with { Name = heads.GetValueOrDefault(tensor.Name, tensor.Name) })];
    }

    private static IEnumerable<SavedTensor> Buffers(IReadOnlyList<SavedTensor> tensors) =>
        from tensor in tensors
        from buffer in _buffers
        where tensor.Name.EndsWith(buffer.Beside, StringComparison.Ordinal)
        let name = tensor.Name[..^buffer.Beside.Length] + buffer.Buffer
        where !tensors.Any(other => other.Name == name)
        select new SavedTensor(name, "I64", [1, 2], new byte[16]);

    private static SavedTensor[]? BaseModel(IReadOnlyList<SavedTensor> tensors)
    {
        string? prefix = Array.Find(
            _basePrefixes,
            prefix => tensors[^1].Name.StartsWith(prefix, StringComparison.Ordinal)
        );
        return prefix is null || tensors.Any(tensor => tensor.Name.StartsWith("lm_head", StringComparison.Ordinal))
            ? null
            :
            [
                .. tensors.Select(tensor =>
                    tensor.Name.StartsWith(prefix, StringComparison.Ordinal)
                        ? tensor with
                        {
                            Name = tensor.Name[prefix.Length..],
                        }
                        : tensor
                ),
            ];
    }

    // Where it is zero, as it is in nearly all models.
    private static SavedTensor[] WithoutBias(IReadOnlyList<SavedTensor> tensors) =>
        [
            .. tensors.Where(tensor =>
                tensor.Name != "final_logits_bias" || tensor.Bytes.AsSpan().ContainsAnyExcept((byte)0)
            ),
        ];

    private static SavedTensor[] OldNorms(IReadOnlyList<SavedTensor> tensors) =>
        [
            .. tensors.Select(tensor =>
                tensor with
                {
                    Name = tensor
                        .Name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
                        .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal),
                }
            ),
        ];

    /// <summary>What both halves of an encoder-decoder have, once; where they share their embeddings, they share all.</summary>
    private static IEnumerable<SavedTensor> SharedHalves(IReadOnlyList<SavedTensor> tensors, bool keepsFirst)
    {
        (string Encoder, string Decoder)[] pairs =
        [
            .. from first in tensors
            where first.Name.StartsWith("encoder.", StringComparison.Ordinal)
            from second in tensors
            where second.Name.StartsWith("decoder.", StringComparison.Ordinal)
            where second.Name.EndsWith(first.Name["encoder".Length..], StringComparison.Ordinal)
            where first.Bytes.AsSpan().SequenceEqual(second.Bytes)
            select (first.Name, second.Name),
        ];
        bool isShared = Array.Exists(pairs, pair => pair.Encoder == "encoder.embeddings.word_embeddings.weight");
        HashSet<string> left = [.. pairs.Select(pair => keepsFirst ? pair.Decoder : pair.Encoder)];
        return tensors.Where(tensor => !isShared || !left.Contains(tensor.Name));
    }

    private static Dictionary<string, byte[]> InShards(IReadOnlyList<SavedTensor> tensors) =>
        Shards(tensors, "model", "safetensors", SavedTensor.Write);

    private static Dictionary<string, byte[]> InBin(IReadOnlyList<SavedTensor> tensors) =>
        new(StringComparer.Ordinal) { ["pytorch_model.bin"] = Bin(tensors) };

    private static Dictionary<string, byte[]> InBinShards(IReadOnlyList<SavedTensor> tensors) =>
        Shards(tensors, "pytorch_model", "bin", Bin);

    private static Dictionary<string, byte[]> Shards(
        IReadOnlyList<SavedTensor> tensors,
        string stem,
        string extension,
        Func<IReadOnlyList<SavedTensor>, byte[]> write
    )
    {
        SavedTensor[][] halves = [.. tensors.Chunk((tensors.Count + 1) / 2)];
        string[] names = [.. halves.Select((_, i) => $"{stem}-{i + 1:00000}-of-{halves.Length:00000}.{extension}")];
        Dictionary<string, byte[]> files = new(StringComparer.Ordinal);
        Dictionary<string, string> map = new(StringComparer.Ordinal);
        for (int i = 0; i < halves.Length; i++)
        {
            files.Add(names[i], write(halves[i]));
            foreach (SavedTensor tensor in halves[i])
            {
                map.Add(tensor.Name, names[i]);
            }
        }

        files.Add($"{stem}.{extension}.index.json", JsonSerializer.SerializeToUtf8Bytes(new { weight_map = map }));
        return files;
    }

    private static byte[] Bin(IReadOnlyList<SavedTensor> tensors) =>
        TorchCheckpoint.Zip([.. tensors.Select(tensor => (tensor.Name, tensor.Shape, tensor.Floats))]);
}
