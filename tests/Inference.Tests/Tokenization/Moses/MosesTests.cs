using System.Text.Json;
using Seq2Seq.Inference.Tokenization.Moses;

namespace Seq2Seq.Inference.Tests.Tokenization.Moses;

public sealed class MosesTests
{
    private static IEnumerable<JsonElement> Golden =>
        File.ReadLines(ReferenceFolders.PathOf("moses.jsonl")).Select(line => JsonDocument.Parse(line).RootElement);

    [Fact]
    public void Punctuation_becomes_what_sacremoses_makes_of_it()
    {
        foreach (var golden in Golden)
            new MosesPunctuation(Text(golden, "lang"))
                .Normalize(Text(golden, "text"))
                .Should()
                .Be(Text(golden, "normalized"));
    }

    [Fact]
    public void Words_are_those_of_sacremoses()
    {
        foreach (var golden in Golden)
            new MosesTokenizer(Text(golden, "lang"))
                .Tokenize(Text(golden, "normalized"))
                .Should()
                .Equal(Words(golden), Text(golden, "text"));
    }

    [Fact]
    public void Words_are_joined_as_by_sacremoses()
    {
        foreach (var golden in Golden)
            new MosesDetokenizer(Text(golden, "lang")).Detokenize(Words(golden)).Should().Be(Text(golden, "joined"));
    }

    private static string Text(JsonElement golden, string name) => golden.GetProperty(name).GetString()!;

    private static IEnumerable<string> Words(JsonElement golden) =>
        golden.GetProperty("words").EnumerateArray().Select(word => word.GetString()!);
}
