using System.Text.Json;
using System.Text.Json.Nodes;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Loading;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>
/// A tiny model of a family with the reference's answers (Data/generation, made with transformers 5.17.0): encoder states
/// and logits of a padded batch, and sequences under many generation settings.
/// </summary>
internal sealed class GoldenFamily
{
    private GoldenFamily(string name)
    {
        Folder = Path.Join(AppContext.BaseDirectory, "Data", "generation", name);
        Tensors = GoldenTensors.Read(Path.Join(Folder, "tensors.safetensors"));
        JsonElement cases = JsonElement.Parse(File.ReadAllBytes(Path.Join(Folder, "cases.json")));
        IsAsPublished = cases.TryGetProperty("as_published", out JsonElement published) && published.GetBoolean();
        InputIds = cases.GetProperty("input_ids").Deserialize<int[][]>()!;
        int[] special = cases.GetProperty("special").Deserialize<int[]>()!;
        Cases = [.. cases.GetProperty("cases").EnumerateArray().Select(test => new GoldenCase(test, special))];
    }

    /// <summary>Every family that has a folder.</summary>
    public static TheoryData<string> Names =>
        [
            .. Directory
                .EnumerateDirectories(Path.Join(AppContext.BaseDirectory, "Data", "generation"))
                .Select(folder => Path.GetFileName(folder))
                .Order(StringComparer.Ordinal),
        ];

    public string Folder { get; }

    /// <summary>Whether the reference's answers are those of the published computation, not of transformers 5.17.</summary>
    public bool IsAsPublished { get; }

    public GoldenTensors Tensors { get; }

    public int[][] InputIds { get; }

    public IReadOnlyList<GoldenCase> Cases { get; }

    /// <summary>The model's config.json.</summary>
    public JsonElement Configuration => JsonElement.Parse(File.ReadAllBytes(Path.Join(Folder, "config.json")));

    public string ModelType => Configuration.GetProperty("model_type").GetString()!;

    public static GoldenFamily Open(string name) => new(name);

    public LoadedNetwork Load() =>
        LoadPlan.Load(Options, FamilyRegistry.Default, TestContext.Current.CancellationToken);

    /// <summary>Loads its weights under another config.json.</summary>
    public LoadedNetwork LoadAs(JsonNode configuration)
    {
        using var folder = new ModelFolderFixture();
        folder
            .Write("config.json", configuration.ToJsonString())
            .Write("model.safetensors", File.ReadAllBytes(Path.Join(Folder, "model.safetensors")));
        return LoadPlan.Load(
            Options with
            {
                Folder = folder.Folder,
            },
            FamilyRegistry.Default,
            TestContext.Current.CancellationToken
        );
    }

    public ModelLoadOptions Options =>
        new()
        {
            Name = Path.GetFileName(Folder),
            Folder = Folder,
            ComputeType = "float32",
            AsPublished = IsAsPublished,
            Threads = 1,
        };
}

/// <summary>Generation options, and for each line what the reference made of it.</summary>
internal sealed class GoldenCase
{
    public GoldenCase(JsonElement test, int[] special)
    {
        Name = test.GetProperty("name").GetString()!;
        Parameters = test.GetProperty("generation");
        int returned = Parameters.TryGetProperty("num_return_sequences", out JsonElement count) ? count.GetInt32() : 1;
        int end = special[1];
        Sequences =
        [
            .. test.GetProperty("sequences")
                .Deserialize<int[][]>()!
                .Select(sequence => Strip(sequence, end))
                .Chunk(returned),
        ];
        if (test.TryGetProperty("sequences_scores", out JsonElement scores))
        {
            Scores = [.. scores.Deserialize<double[]>()!.Chunk(returned)];
        }
    }

    public string Name { get; }

    public JsonElement Parameters { get; }

    public int Beams => Parameters.TryGetProperty("num_beams", out JsonElement beams) ? beams.GetInt32() : 1;

    /// <summary>Of each line its outputs, without start token and padding.</summary>
    public int[][][] Sequences { get; }

    public double[][]? Scores { get; }

    /// <summary>Whether a line's result is the reference's: the tokens of every output, and scores where it has them.</summary>
    public bool IsMetBy(SequenceResult result, int line) =>
        result.Error is null
        && result.Outputs.Count == Sequences[line].Length
        && result.Outputs.Select((output, i) => output.TokenIds.SequenceEqual(Sequences[line][i])).All(equal => equal)
        && (
            Scores is not { } scores
            || result
                .Outputs.Select(
                    (output, i) => Math.Abs(output.Score - scores[line][i]) <= ScoreTolerance(scores[line][i])
                )
                .All(close => close)
        );

    /// <summary>As the reference cases allow: scores are sums of float32 in another order.</summary>
    public static double ScoreTolerance(double score) => 2e-3 * Math.Max(1, Math.Abs(score));

    private static int[] Strip(int[] sequence, int end)
    {
        int[] tokens = sequence[1..];
        int last = Array.IndexOf(tokens, end);
        return last < 0 ? tokens : tokens[..(last + 1)];
    }
}
