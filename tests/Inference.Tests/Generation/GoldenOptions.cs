using System.Text.Json;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>What transformers answers under options that the families' cases leave out (Data/make-generation-options.py).</summary>
internal static class GoldenOptions
{
    public static JsonElement Data { get; } =
        JsonElement.Parse(File.ReadAllBytes(Path.Join(AppContext.BaseDirectory, "Data", "generation-options.json")));

    /// <summary>The families that have answers.</summary>
    public static TheoryData<string> Families =>
        [.. Data.GetProperty("families").EnumerateObject().Select(family => family.Name)];

    public static JsonElement Family(string name) => Data.GetProperty("families").GetProperty(name);
}
