using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Tests;

/// <summary>The bundled model, which has a tokenizer.</summary>
internal static class BundledModel
{
    public static string Folder { get; } = Path.Join(AppContext.BaseDirectory, "Data", "english-tts");

    public static ModelLoadOptions Options { get; } =
        new()
        {
            Name = "english-tts",
            Folder = Folder,
            ComputeType = "float32",
        };

    public static SequenceModel Load() => Load(Options);

    public static SequenceModel Load(ModelLoadOptions options) =>
        SequenceModel.Load(options, TestContext.Current.CancellationToken);
}
