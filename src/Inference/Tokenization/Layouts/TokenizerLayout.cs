using System.Text.Json;
using Seq2Seq.Inference.Tokenization.Standalone;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// A layout of tokenizer files, by the class of transformers that reads it. Which one a folder has is decided as
/// <c>AutoTokenizer</c> does: tokenizer_config.json's <c>tokenizer_class</c>, else the class of config.json's
/// <c>model_type</c>; where those are silent, by the files that are there.
/// </summary>
internal sealed record TokenizerLayout(string[] Files, Func<TokenizerFolder, Tokenizer> Load)
{
    private const string Verbatim = "TokenizersBackend";

    private static readonly Dictionary<string, TokenizerLayout> ByClass = new(StringComparer.Ordinal)
    {
        [Verbatim] = new(["tokenizer.json"], VerbatimLayout.Load),
        ["T5Tokenizer"] = new(["spiece.model"], T5Layout.Load),
        ["LlamaTokenizer"] = new(["tokenizer.model"], LlamaLayout.Load),
        ["GemmaTokenizer"] = new(["tokenizer.model"], GemmaLayout.Load),
        ["PegasusTokenizer"] = new(["spiece.model"], PegasusLayout.Load),
        ["MBartTokenizer"] = new(["sentencepiece.bpe.model"], MBartLayout.Load),
        ["MBart50Tokenizer"] = new(["sentencepiece.bpe.model"], MBart50Layout.Load),
        ["NllbTokenizer"] = new(["sentencepiece.bpe.model"], NllbLayout.Load),
        ["SeamlessM4TTokenizer"] = new(["sentencepiece.bpe.model"], SeamlessM4TLayout.Load),
        ["XLMRobertaTokenizer"] = new(["sentencepiece.bpe.model"], XlmRobertaLayout.Load),
        ["CamembertTokenizer"] = new(["sentencepiece.bpe.model"], XlmRobertaLayout.LoadCamembert),
        ["RobertaTokenizer"] = new(["vocab.json", "merges.txt"], ByteLevelLayout.LoadRoberta),
        ["BlenderbotTokenizer"] = new(["vocab.json", "merges.txt"], ByteLevelLayout.LoadBlenderbot),
        ["GPT2Tokenizer"] = new(["vocab.json", "merges.txt"], ByteLevelLayout.LoadGpt2),
        ["BertTokenizer"] = new(["vocab.txt"], BertLayout.Load),
        ["MarianTokenizer"] = Alone(["source.spm", "target.spm", "vocab.json"], MarianTokenizer.Load),
        ["M2M100Tokenizer"] = Alone(["vocab.json", "sentencepiece.bpe.model"], M2M100Tokenizer.Load),
        ["PLBartTokenizer"] = Alone(["sentencepiece.bpe.model"], PlBartTokenizer.Load),
        ["BertGenerationTokenizer"] = Alone(["spiece.model"], BertGenerationTokenizer.Load),
        ["FSMTTokenizer"] = Alone(["vocab-src.json", "vocab-tgt.json", "merges.txt"], FsmtTokenizer.Load),
        ["ProphetNetTokenizer"] = Alone(["prophetnet.tokenizer"], ProphetNetTokenizer.Load),
        ["BlenderbotSmallTokenizer"] = Alone(["vocab.json", "merges.txt"], BlenderbotSmallTokenizer.Load),
        ["ByT5Tokenizer"] = Alone([], ByT5Tokenizer.Load),
    };

    /// <summary>Other names of the same classes.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["PreTrainedTokenizer"] = Verbatim,
        ["MT5Tokenizer"] = "T5Tokenizer",
        ["BartTokenizer"] = "RobertaTokenizer",
        ["MvpTokenizer"] = "RobertaTokenizer",
        ["LEDTokenizer"] = "RobertaTokenizer",
        ["DistilBertTokenizer"] = "BertTokenizer",
        ["ElectraTokenizer"] = "BertTokenizer",
    };

    /// <summary>The class that transformers has for a model type, of those that a text seq2seq model can have.</summary>
    private static readonly Dictionary<string, string> ByModelType = new(StringComparer.Ordinal)
    {
        ["bart"] = "RobertaTokenizer",
        ["bert"] = "BertTokenizer",
        ["bert-generation"] = "BertGenerationTokenizer",
        ["bigbird_pegasus"] = Verbatim,
        ["blenderbot"] = "BlenderbotTokenizer",
        ["blenderbot-small"] = "BlenderbotSmallTokenizer",
        ["camembert"] = "CamembertTokenizer",
        ["distilbert"] = "BertTokenizer",
        ["electra"] = "BertTokenizer",
        ["fsmt"] = "FSMTTokenizer",
        ["gemma"] = "GemmaTokenizer",
        ["gpt2"] = "GPT2Tokenizer",
        ["led"] = "RobertaTokenizer",
        ["longt5"] = "T5Tokenizer",
        ["m2m_100"] = "M2M100Tokenizer",
        ["marian"] = "MarianTokenizer",
        ["mbart"] = "MBartTokenizer",
        ["mt5"] = "T5Tokenizer",
        ["mvp"] = "RobertaTokenizer",
        ["nllb-moe"] = "NllbTokenizer",
        ["pegasus"] = "PegasusTokenizer",
        ["pegasus_x"] = Verbatim,
        ["plbart"] = "PLBartTokenizer",
        ["prophetnet"] = "ProphetNetTokenizer",
        ["roberta"] = "RobertaTokenizer",
        ["seamless_m4t"] = "SeamlessM4TTokenizer",
        ["seamless_m4t_v2"] = "SeamlessM4TTokenizer",
        ["switch_transformers"] = "T5Tokenizer",
        ["t5"] = "T5Tokenizer",
        ["t5gemma"] = "GemmaTokenizer",
        ["t5gemma2"] = "GemmaTokenizer",
        ["umt5"] = Verbatim,
        ["xlm-roberta"] = "XLMRobertaTokenizer",
    };

    /// <summary>Those that files can tell, the ones that ask for most first.</summary>
    private static IEnumerable<TokenizerLayout> BySpecificity =>
        ByClass.Values.Where(layout => layout.Files.Length > 0).OrderByDescending(layout => layout.Files.Length);

    /// <summary>Every layout, by its class.</summary>
    public static IReadOnlyDictionary<string, TokenizerLayout> All => ByClass;

    /// <summary>The class of a model type whose configuration names none; null when it has none of its own.</summary>
    public static string? ClassOf(string modelType) => ByModelType.GetValueOrDefault(modelType);

    public static TokenizerLayout Find(TokenizerFolder folder)
    {
        var modelType = ModelType(folder.Config);
        var registered = modelType is null ? null : ByModelType.GetValueOrDefault(modelType);
        var named = Name(Text(folder.TokenizerConfig, "tokenizer_class") ?? Text(folder.Config, "tokenizer_class"));
        // Some model types always take the file as it is, whatever class the configuration names.
        var name = registered == Verbatim ? Verbatim : named ?? registered;
        if (name is not null && ByClass.TryGetValue(name, out var layout) && layout.IsServedBy(folder))
            return layout;
        if (folder.TokenizerJson is not null)
            return ByClass[Verbatim];
        // No such class, or none of its files: the class that the configuration names, then what the files can be.
        var byName = named is not null && ByClass.TryGetValue(named, out var other) ? other : null;
        return new[] { byName }
                .Concat(BySpecificity)
                .OfType<TokenizerLayout>()
                .FirstOrDefault(candidate => candidate.IsServedBy(folder))
            ?? throw folder.Missing(
                $"tokenizer files that can be read (tokenizer.json, or {string.Join(", ", BySpecificity.Select(known => string.Join(" + ", known.Files)).Distinct(StringComparer.Ordinal))})"
            );
    }

    public string NameOfFiles(TokenizerFolder folder)
    {
        if (folder.TokenizerJson is not null && ReadsTokenizerJson)
            return "tokenizer.json";
        return Files.Length > 0 ? string.Join(" and ", Files) : "tokenizer_config.json";
    }

    private bool IsServedBy(TokenizerFolder folder) =>
        Files.All(folder.Has) || (folder.TokenizerJson is not null && ReadsTokenizerJson);

    /// <summary>False for classes that have no use for a tokenizer.json.</summary>
    public bool ReadsTokenizerJson { get; init; } = true;

    private static TokenizerLayout Alone(string[] files, Func<TokenizerFolder, Tokenizer> load) =>
        new(files, load) { ReadsTokenizerJson = false };

    private static string? Name(string? name)
    {
        if (name is null)
            return null;
        var plain = name.EndsWith("Fast", StringComparison.Ordinal) ? name[..^4] : name;
        return Aliases.GetValueOrDefault(plain, plain);
    }

    /// <summary>An encoder-decoder of two models has the tokenizer of its encoder.</summary>
    private static string? ModelType(JsonElement? config)
    {
        var type = Text(config, "model_type");
        return type == "encoder-decoder" && config!.Value.TryGetProperty("encoder", out var encoder)
            ? Text(encoder, "model_type")
            : type;
    }

    private static string? Text(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object }
        && json.Value.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
