using System.Reflection;
using System.Runtime.CompilerServices;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Tests.Loading;

public sealed class LoadCodesTests
{
    [Fact]
    public void Every_code_stands_in_the_documentation()
    {
        string documentation = File.ReadAllText(Path.Join(Root(), "docs", "loading.md"));

        IEnumerable<string> codes = typeof(LoadCodes)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (string)field.GetRawConstantValue()!);

        codes.Should().OnlyHaveUniqueItems().And.AllSatisfy(code => documentation.Should().Contain($"`{code}`"));
    }

    private static string Root([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Join(Path.GetDirectoryName(path), "..", "..", ".."));
}
