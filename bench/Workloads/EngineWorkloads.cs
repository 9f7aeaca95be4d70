using System.Globalization;
using System.Text.Json;
using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Engine;
using Seq2Seq.Bench.Reporting;

namespace Seq2Seq.Bench.Workloads;

/// <summary>The workloads of the table, with the ratios that are asked of them.</summary>
internal static class EngineWorkloads
{
    private const int NewTokensOfAWord = 96;
    private const string Float32 = "float32";
    private const string Float16 = "float16";
    private const string Int8 = "int8";
    private const string DraftingParameter = "drafting";

    private static readonly int[] _batches = [8, 32, 64];
    private static readonly string _oursFloat32 = Ours(Float32).Name;
    private static readonly string _oursInt8 = Ours(Int8).Name;
    private static readonly string _peersFloat32 = CTranslate2(Float32).Name;
    private static readonly string _peersInt8 = CTranslate2(Int8).Name;

    public static IReadOnlyList<EngineWorkload> All(BenchmarkScale scale) =>
        [
            Words(scale, "words-greedy", "Bundled model, words, greedy", beam: 1),
            Words(scale, "words-beam", "Bundled model, words, beam 4", beam: 4),
            Greedy(scale),
            Shape(scale, "opus-mt", "opus-mt shape, beam 4", beam: 4) with
            {
                Comparisons = [Held(_oursFloat32, _peersFloat32, 1.1, 1.7), Held(_oursInt8, _peersInt8, 0.9, 1.3)],
            },
            OneLine(scale),
            Drafting(scale),
            DraftingCopies(scale, "drafting-copies", "together", scale.CopiedLines, candidates: null),
            DraftingCopies(scale, "drafting-one-line", "one at a time", scale.LinesOneByOne, EngineSettings.OneLine),
            EqualLines(scale),
            PaddingRemoval(scale),
            Screening(scale, SavingNames.Screening, "together", scale.ShapeLines, candidates: null),
            Screening(scale, "screening-one-line", "one at a time", scale.LinesOneByOne, EngineSettings.OneLine),
            Memory(scale),
            Load(scale),
        ];

    private static EngineWorkload Words(BenchmarkScale scale, string id, string title, int beam)
    {
        Contestant transformers = new()
        {
            Engine = Contestant.Transformers,
            Limit = scale.TransformersWords,
            // Small matrices leave torch's threads waiting for each other.
            Candidates = [new(1, Environment.ProcessorCount, 64), new(1, 1, 64)],
        };
        return new EngineWorkload
        {
            Id = id,
            Title = $"{title}: {scale.Words.ToString("N0", CultureInfo.InvariantCulture)} of wamerican's",
            Model = BenchmarkFiles.BundledModel,
            Lines = files => files.Words(scale.Words),
            Beam = beam,
            MaxNew = NewTokensOfAWord,
            HasRealOutputs = true,
            Contestants = [Ours(Float32), CTranslate2(Float32), Ours(Int8), CTranslate2(Int8), transformers],
            Comparisons =
            [
                Held(_oursFloat32, _peersFloat32, 1, 2),
                Held(_oursFloat32, transformers.Name, 4, aim: null),
                Held(_oursInt8, _peersInt8, 0.9, 1.3),
            ],
            Shorten = options => options with { Limit = scale.Words / scale.SearchShare },
        };
    }

    private static EngineWorkload Shape(BenchmarkScale scale, string model, string title, int beam) =>
        new()
        {
            Id = model,
            Title = $"{title}: {scale.ShapeLines} lines of 8 to 64 tokens, {scale.NewTokens} new tokens forced",
            Model = model,
            Lines = files => files.LinesOfLengths(scale.ShapeLines),
            Beam = beam,
            MaxNew = scale.NewTokens,
            MinNew = scale.NewTokens,
            Operations = (files, folder) =>
                Operations(
                    folder,
                    files.SourceTokens(scale.ShapeLines),
                    (double)scale.ShapeLines * scale.NewTokens * beam
                ),
            Contestants = [Ours(Float32), CTranslate2(Float32), Ours(Int8), CTranslate2(Int8)],
            Comparisons = [],
            Shorten = options =>
                options with
                {
                    MaxNew = Math.Max(1, scale.NewTokens / scale.SearchShare),
                    MinNew = Math.Max(1, scale.NewTokens / scale.SearchShare),
                },
        };

    private static EngineWorkload Greedy(BenchmarkScale scale)
    {
        EngineWorkload shape = Shape(scale, "t5-small", "t5-small shape, greedy", beam: 1);
        Contestant screened = Screened();
        return shape with
        {
            Contestants = [.. shape.Contestants, screened],
            Comparisons =
            [
                Held(_oursFloat32, _peersFloat32, 1.2, 2),
                Held(screened.Name, _peersFloat32, 1.2, 2),
                Held(screened.Name, _oursFloat32, bar: null, aim: null),
                Held(_oursInt8, _peersInt8, 0.9, 1.3),
            ],
        };
    }

    private static EngineWorkload OneLine(BenchmarkScale scale)
    {
        Contestant[] contestants =
        [
            .. new[]
            {
                Ours(Float32),
                CTranslate2(Float32),
                Screened(),
                Ours(Float16),
                Ours(Int8),
                CTranslate2(Int8),
            }.Select(one => one with { Candidates = EngineSettings.OneLine }),
        ];
        return Shape(scale, "t5-small", "", beam: 1) with
        {
            Id = "one-line",
            Title =
                $"t5-small shape, one line at a time: {scale.LinesOneByOne} lines, {scale.NewTokens} new tokens forced",
            Limit = scale.LinesOneByOne,
            Operations = null,
            Contestants = contestants,
            Comparisons =
            [
                Held(_oursFloat32, _peersFloat32, 1, aim: null),
                Held(Screened().Name, _peersFloat32, 1, aim: null),
                Held(Screened().Name, _oursFloat32, bar: null, aim: null),
                Held(Ours(Float16).Name, _peersFloat32, 1.6, aim: null),
                Held(_oursInt8, _peersInt8, bar: null, aim: 1),
            ],
        };
    }

    private static EngineWorkload Drafting(BenchmarkScale scale)
    {
        Contestant[] contestants = WithAndWithoutDrafting(candidates: null);
        return new EngineWorkload
        {
            Id = DraftingParameter,
            Title = $"Bundled model, {scale.NormalisationLines} normalisation lines, greedy, with and without drafting",
            Model = BenchmarkFiles.BundledModel,
            Lines = files => files.NormalisationLines(scale.NormalisationLines),
            MaxNew = NewTokensOfAWord,
            HasRealOutputs = true,
            Requires = DraftingParameter,
            Contestants = contestants,
            Comparisons = [Held(contestants[1].Name, contestants[0].Name, 1.5, 3)],
            Shorten = options => options with { Limit = scale.NormalisationLines / scale.SearchShare },
        };
    }

    private static EngineWorkload DraftingCopies(
        BenchmarkScale scale,
        string id,
        string how,
        int lines,
        IReadOnlyList<EngineSettings>? candidates
    )
    {
        Contestant[] contestants = WithAndWithoutDrafting(candidates);
        return new EngineWorkload
        {
            Id = id,
            Title =
                $"Copying model of t5-small's sizes, {lines} lines of 8 to 64 tokens {how}, one token in eleven replaced, greedy, with and without drafting",
            Model = BenchmarkFiles.CopyingModel,
            Lines = files => files.LinesOfLengths(lines),
            MaxNew = NewTokensOfAWord,
            HasRealOutputs = true,
            Requires = DraftingParameter,
            Contestants = contestants,
            Comparisons = [Held(contestants[1].Name, contestants[0].Name, 1.5, 3)],
            Shorten = options => options with { Limit = Math.Max(1, lines / scale.SearchShare) },
        };
    }

    private static Contestant[] WithAndWithoutDrafting(IReadOnlyList<EngineSettings>? candidates)
    {
        Contestant plain = Ours(Float32);
        plain = plain with { Candidates = candidates ?? plain.Candidates };
        return [plain, plain with { With = "with drafting", Parameters = $$"""{"{{DraftingParameter}}": true}""" }];
    }

    private static EngineWorkload EqualLines(BenchmarkScale scale)
    {
        Contestant plain = Ours(Float32);
        Contestant[] contestants = [plain, Without(plain, SavingNames.EqualLines, "each line by itself")];
        return new EngineWorkload
        {
            Id = SavingNames.EqualLines,
            Title =
                $"Bundled model, {scale.Words.ToString("N0", CultureInfo.InvariantCulture)} words as often as in running text, greedy, equal ones once or each by itself",
            Model = BenchmarkFiles.BundledModel,
            Lines = files => files.RepeatedWords(scale.Words),
            MaxNew = NewTokensOfAWord,
            HasRealOutputs = true,
            Contestants = contestants,
            Comparisons = [Held(plain.Name, contestants[1].Name, bar: null, aim: null)],
            Shorten = options => options with { Limit = scale.Words / scale.SearchShare },
        };
    }

    private static EngineWorkload PaddingRemoval(BenchmarkScale scale)
    {
        Contestant plain = Ours(Float32);
        Contestant padded = Without(plain, SavingNames.PaddingRemoval, "with padding");
        // Few new tokens, so that the encoder has a share in the time.
        return Shape(
            scale with
            {
                NewTokens = Math.Min(scale.NewTokens, 8),
            },
            "t5-small",
            "t5-small shape, greedy, with and without padding",
            beam: 1
        ) with
        {
            Id = SavingNames.PaddingRemoval,
            Operations = null,
            HasRealOutputs = true,
            Contestants = [plain, padded],
            Comparisons = [Held(plain.Name, padded.Name, bar: null, aim: null)],
        };
    }

    private static EngineWorkload Screening(
        BenchmarkScale scale,
        string id,
        string how,
        int lines,
        IReadOnlyList<EngineSettings>? candidates
    )
    {
        Contestant screened = Screened();
        screened = screened with { Candidates = candidates ?? screened.Candidates };
        Contestant unscreened = Without(screened, SavingNames.Screening, "without scores or screening");
        return Shape(scale, "t5-small", "", beam: 1) with
        {
            Id = id,
            Title =
                $"t5-small shape, greedy without scores: {lines} lines {how}, {scale.NewTokens} new tokens forced, the vocabulary screened or not",
            Limit = lines,
            Operations = null,
            HasRealOutputs = true,
            Contestants = [screened, unscreened],
            Comparisons = [Held(screened.Name, unscreened.Name, bar: null, aim: null)],
        };
    }

    private static EngineWorkload Memory(BenchmarkScale scale)
    {
        int cores = Environment.ProcessorCount;
        Contestant ours = Ours(Float32) with { Candidates = [new(1, cores, 0)] };
        Contestant peer = CTranslate2(Float32) with { Candidates = [new(1, cores, 32)] };
        Contestant alone = peer with { Engine = Contestant.CTranslate2Alone };
        return Shape(scale, "opus-mt", "", beam: 4) with
        {
            Id = "memory",
            Title = $"opus-mt shape, peak memory: {scale.MemoryLines} lines at once, beam 4",
            Lines = files => files.LinesOfLengths(scale.MemoryLines),
            Metric = Metric.PeakMegabytes,
            Contestants = [ours, peer, alone],
            Comparisons =
            [
                Held(ours.Name, peer.Name, 1, 0.7) with
                {
                    IsLessBetter = true,
                },
                Held(ours.Name, alone.Name, bar: null, aim: null) with
                {
                    IsLessBetter = true,
                },
            ],
        };
    }

    private static EngineWorkload Load(BenchmarkScale scale)
    {
        int cores = Environment.ProcessorCount;
        Contestant ours = Ours(Float32) with { Candidates = [new(1, cores, 0)] };
        Contestant peer = CTranslate2(Float32) with { Candidates = [new(1, cores, 8)] };
        return Shape(scale, "opus-mt", "", beam: 1) with
        {
            Id = "load-warm",
            Title = "opus-mt shape, seconds to load while the files lie in memory",
            Limit = 1,
            MaxNew = 1,
            MinNew = 1,
            Metric = Metric.LoadSeconds,
            Contestants = [ours, peer],
            Comparisons = [Held(ours.Name, peer.Name, bar: null, aim: null) with { IsLessBetter = true }],
        };
    }

    private static Contestant Ours(string compute) =>
        new()
        {
            Engine = Contestant.Ours,
            Compute = compute,
            Candidates = EngineSettings.AllCores(batch: 0),
        };

    /// <summary>Greedy without scores, as the peers have it: the vocabulary is screened, the tokens are the same.</summary>
    private static Contestant Screened() =>
        Ours(Float32) with
        {
            With = "without scores",
            Parameters = """{"return_scores": false}""",
        };

    private static Contestant Without(Contestant contestant, string saving, string with) =>
        contestant with
        {
            With = with,
            Without = [saving],
        };

    private static Contestant CTranslate2(string compute) =>
        new()
        {
            Engine = Contestant.CTranslate2,
            Compute = compute,
            Candidates = [.. _batches.SelectMany(EngineSettings.AllCores)],
        };

    private static Comparison Held(string ours, string against, double? bar, double? aim) =>
        new()
        {
            Ours = ours,
            Against = against,
            Bar = bar,
            Aim = aim,
        };

    /// <summary>
    /// Floating-point operations of the matrix products with weights: of the encoder and of the cross-attention's keys and
    /// values for each source token, of the decoder and of the head for each row and step. Attention itself is not counted.
    /// </summary>
    private static double Operations(string folder, double sourceTokens, double decodedRows)
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json")));
        JsonElement configuration = file.RootElement;
        double model = Value("d_model");
        double inner = Value("num_heads", "decoder_attention_heads") * Value("d_kv", "") is > 0 and var t5 ? t5 : model;
        double wide = Value("d_ff", "decoder_ffn_dim");
        double encoderLayers = Value("num_layers", "encoder_layers");
        double decoderLayers = Value("num_decoder_layers", "decoder_layers");
        double perSource =
            (encoderLayers * ((4 * model * inner) + (2 * model * wide))) + (decoderLayers * 2 * model * inner);
        double perRow = (decoderLayers * ((6 * model * inner) + (2 * model * wide))) + (model * Value("vocab_size"));
        return 2 * ((sourceTokens * perSource) + (decodedRows * perRow));

        double Value(params string[] names) =>
            names
                .Select(name =>
                    configuration.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
                        ? value.GetDouble()
                        : 0
                )
                .FirstOrDefault(value => value > 0);
    }
}
