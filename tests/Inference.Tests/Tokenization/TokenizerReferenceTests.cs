using System.Text.Json;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Tokenization;

public sealed class TokenizerReferenceTests
{
    public static TheoryData<string> Folders => ReferenceFolders.All;

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_answer_is_the_reference_libraries(string folder)
    {
        var (misses, asked) = new ReferenceCases(ReferenceFolders.PathOf(folder)).Run();

        misses.Should().BeEmpty();
        asked.Should().BePositive();
    }

    [Fact]
    public void The_bundled_model_reads_words_as_transformers_does()
    {
        var tokenizer = Tokenizer.Load(Path.Combine(AppContext.BaseDirectory, "Data", "english-tts"));

        foreach (var line in File.ReadLines(ReferenceFolders.PathOf("english-tts-words.jsonl")))
        {
            using var word = JsonDocument.Parse(line);
            var ids = word.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32());
            var text = word.RootElement.GetProperty("text").GetString()!;
            tokenizer.Encode(text, EncodeOptions.Default).Should().Equal(ids, text);
        }
    }
}
