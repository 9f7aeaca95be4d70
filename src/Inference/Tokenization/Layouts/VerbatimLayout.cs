namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// A tokenizer.json taken as it is (<c>PreTrainedTokenizerFast</c>). Alone in its folder it is the tokenizers library's,
/// with truncation and padding of its own; beside a configuration those are the caller's.
/// </summary>
internal static class VerbatimLayout
{
    private static readonly string[] Named =
    [
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
    ];

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var json = folder.TokenizerJson ?? throw folder.Missing("tokenizer.json");
        var pipeline = json.ReadPipeline();
        if (folder.TokenizerConfig is null && folder.Config is null)
        {
            return new PipelineTokenizer(
                pipeline,
                new PipelineSettings
                {
                    PostProcessor = json.ReadPostProcessor(),
                    TruncateLeft = json.TruncatesLeft,
                    Bare = true,
                    FileTruncation = json.ReadTruncation(),
                    FilePadding = json.ReadPadding(),
                }
            );
        }
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(Named.Select(folder.Settings.Token));
        return assembly.Build(
            assembly.BeginAndEnd(folder.Settings.Token("bos_token"), folder.Settings.Token("eos_token"))
        );
    }
}
