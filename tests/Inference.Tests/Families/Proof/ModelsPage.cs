using System.Globalization;
using System.Text;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Families.EncoderDecoder;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tokenization.Layouts;

namespace Seq2Seq.Inference.Tests.Families.Proof;

/// <summary>Writes docs/models.md from the registry of families, their golden data, and what tests saw of both.</summary>
internal sealed class ModelsPage(
    IReadOnlyList<(GoldenFamily Golden, FamilyProof Proof)> families,
    IReadOnlyList<TokenizerProof> tokenizers
)
{
    private const string TokenizerJson = "tokenizer.json";

    private static IEnumerable<string> ModelTypes => FamilyRegistry.Default.ModelTypes.Order(StringComparer.Ordinal);

    public string Render()
    {
        StringBuilder page = new();
        page.Append(
            """
            # Models

            `config.json`'s `model_type` decides which family reads a folder, and `seq2seq models check DIR` says whether it loads. This page
            is written by a test (`ModelsPageTests`), from the registry of families and from what it sees them do on the tests' data; it
            fails when the page is another. What a family is held against is transformers 5.17.0 on tiny models with random weights, float32.

            ## Families

            | model_type | class in config.json | on the hub, for example |
            |---|---|---|

            """
        );
        foreach (string modelType in ModelTypes)
        {
            IEnumerable<string> hub = HubModels.ByModelType[modelType].Select(name => $"`{name}`");
            page.Append(
                CultureInfo.InvariantCulture,
                $"| `{modelType}` | {Classes(modelType)} | {string.Join(", ", hub)} |\n"
            );
        }

        page.Append(
            CultureInfo.InvariantCulture,
            $"\nThe halves of an `encoder-decoder` are chosen apart. Encoders: {Halves(_ => true)}. Decoders: {Halves(half => half.Head is not null)}.\n"
        );
        page.Append(
            """

            ## What they were seen to do

            Lines whose answers are the reference's, of those asked: tokens of greedy search, tokens and scores of beam search (every output),
            each line alone; the same lines decoded together, all settings at once. `sampling` counts lines that draw the same tokens from
            the same seed, alone and among others. [What narrower weights cost](compute-types.md) is measured for every one of these models.
            On a GPU none of it is verified: no machine of ours has one.

            | model_type | models of the tests | loads | greedy | beam | together | sampling | GPU |
            |---|---|---|---|---|---|---|---|

            """
        );
        foreach (string modelType in ModelTypes)
        {
            page.Append(Seen(modelType));
        }

        page.Append(
            """

            ## What is refused

            Refused when the model is loaded, by the key of `config.json`, and never done in another way. Quantized weights
            (`quantization_config`) and models that are no encoder-decoder are refused for all.

            | model_type | key | for example | what it would be |
            |---|---|---|---|

            """
        );
        foreach (FamilyRefusal refusal in FamilyRefusal.All.OrderBy(one => one.ModelType, StringComparer.Ordinal))
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"| `{refusal.ModelType}` | `{refusal.Key}` | `{refusal.Value.ToJsonString()}` | {refusal.What} |\n"
            );
        }

        page.Append(
            """

            ## Tokenizers

            `tokenizer_config.json`'s `tokenizer_class` decides, else the model type, else the files that are there. Answers are encodings and
            decodings of the tests' folders, held against transformers 5.17.0, tokenizers 0.23.3 and sentencepiece 0.2.3.

            | class | files | model types | folders | answers |
            |---|---|---|---|---|

            """
        );
        foreach (
            (string name, TokenizerLayout layout) in TokenizerLayout.All.OrderBy(one => one.Key, StringComparer.Ordinal)
        )
        {
            page.Append(Tokenizer(name, layout));
        }

        return page.ToString();
    }

    private static string Halves(Func<BertVariant, bool> isOne) =>
        string.Join(
            ", ",
            BertVariant
                .All.Where(isOne)
                .Select(half => half.ModelType)
                .Append(Gpt2Configuration.ModelType)
                .Order(StringComparer.Ordinal)
                .Select(name => $"`{name}`")
        );

    private string Classes(string modelType) =>
        string.Join(
            ", ",
            families
                .Where(family => family.Golden.ModelType == modelType)
                .SelectMany(family => family.Golden.Configuration.GetProperty("architectures").EnumerateArray())
                .Select(name => $"`{name.GetString()}`")
                .Distinct(StringComparer.Ordinal)
        );

    private string Seen(string modelType)
    {
        FamilyProof[] proofs =
        [
            .. families.Where(family => family.Golden.ModelType == modelType).Select(family => family.Proof),
        ];
        string names = string.Join(", ", proofs.Select(proof => proof.Name));
        string loads = proofs.All(proof => proof.Strategy == LoadStrategy.Direct) ? "direct" : "config-first";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| `{modelType}` | {names} | {loads} | {Sum(proof => proof.Greedy)} | {Sum(proof => proof.Beam)} | {Sum(proof => proof.Together)} | {Sum(proof => proof.Drawn)} | unverified |\n"
        );

        Count Sum(Func<FamilyProof, Count> cell) => proofs.Select(cell).Aggregate((left, right) => left + right);
    }

    private string Tokenizer(string name, TokenizerLayout layout)
    {
        TokenizerProof[] proofs = [.. tokenizers.Where(proof => proof.Class == name)];
        IEnumerable<string> modelTypes = ModelTypes
            .Where(type => TokenizerLayout.ClassOf(type) == name)
            .Concat(proofs.Select(proof => proof.ModelType).OfType<string>())
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .Select(type => $"`{type}`");
        string own = string.Join(" + ", layout.Files.Select(file => $"`{file}`"));
        string files =
            layout.Files.Length == 0 ? "none: bytes"
            : layout.Files is [TokenizerJson] || !layout.ReadsTokenizerJson ? own
            : $"{own}, or `{TokenizerJson}`";
        Count answers = proofs.Aggregate(default(Count), (sum, proof) => sum + proof.Answers);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| `{name}` | {files} | {string.Join(", ", modelTypes)} | {proofs.Length} | {answers} |\n"
        );
    }
}
