using System.Diagnostics;
using System.Text;
using System.Text.Json;
using CsCheck;
using Seq2Seq.Inference.Tokenization;
using Seq2Seq.Inference.Tokenization.Patterns;

namespace Seq2Seq.Inference.Tests.Tokenization.Patterns;

public sealed class TextPatternTests
{
    [Fact]
    public void Expressions_match_what_Oniguruma_matches()
    {
        foreach (var line in File.ReadLines(ReferenceFolders.PathOf("patterns.jsonl")))
        {
            using var golden = JsonDocument.Parse(line);
            var (pattern, text) = (Text(golden, "pattern"), Text(golden, "text"));
            Replace(TextPattern.Regex(pattern), text).Should().Be(Text(golden, "replaced"), "of {0}", pattern);
        }
    }

    [Theory]
    [InlineData(@"(.)\1")]
    [InlineData(@"(?<n>a\g<n>?b)")]
    [InlineData(@"(a)|b(?(1)c|d)")]
    [InlineData(@"\p{NoSuchProperty}")]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData(@"\xe9")]
    [InlineData(@"a\")]
    [InlineData("(?<=a*)b")]
    public void Expressions_that_are_broken_or_need_captured_text_are_refused(string expression)
    {
        var parse = () => TextPattern.Regex(expression);

        parse.Should().Throw<FormatException>().WithMessage($"*{expression}*");
    }

    [Fact]
    public void Deep_nesting_is_refused()
    {
        var parse = () => TextPattern.Regex(new string('(', 100_000) + new string(')', 100_000));

        parse.Should().Throw<FormatException>();
    }

    [Fact]
    public void An_expression_that_tries_forever_is_given_up()
    {
        var pattern = TextPattern.Regex("(a+)+b|(a|a)*c");
        var watch = Stopwatch.StartNew();

        var find = () => pattern.Find(new string('a', 5000), []);

        find.Should().Throw<EncodeException>().Which.Code.Should().Be("pattern_too_slow");
        watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Spans_cover_any_text_once()
    {
        string[] patterns = [@"\s+(?!\S)|\p{L}+", "", "a|", "b", @"(?<=\p{N})\b|.", @"[^\S\n]*\n?"];
        var pattern = Gen.Int[0, patterns.Length - 1].Select(index => patterns[index]);

        Gen.Select(pattern, Gen.String[0, 40])
            .Sample(
                (expression, text) =>
                {
                    var spans = new List<PatternSpan>();
                    TextPattern.Regex(expression).Find(text, spans);
                    string.Concat(spans.Select(span => text.Substring(span.Start, span.Length))).Should().Be(text);
                },
                iter: 2000
            );
    }

    private static string Replace(ITextPattern pattern, string text)
    {
        var spans = new List<PatternSpan>();
        pattern.Find(text, spans);
        var replaced = new StringBuilder();
        foreach (var span in spans)
            replaced.Append(span.IsMatch ? "¦" : text.AsSpan(span.Start, span.Length));
        return replaced.ToString();
    }

    private static string Text(JsonDocument golden, string name) => golden.RootElement.GetProperty(name).GetString()!;
}
