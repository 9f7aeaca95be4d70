namespace Seq2Seq.Inference.Tests.Tokenization;

/// <summary>The folders of reference data beside the tests, one a tokenizer.</summary>
internal static class ReferenceFolders
{
    public static string Root { get; } = Path.Combine(AppContext.BaseDirectory, "Data", "tokenizers");

    public static TheoryData<string> All =>
        [
            .. Directory
                .EnumerateFiles(Root, "cases.json", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Root, Path.GetDirectoryName(file)!))
                .Order(StringComparer.Ordinal),
        ];

    public static string PathOf(string folder) => Path.Combine(Root, folder);
}
