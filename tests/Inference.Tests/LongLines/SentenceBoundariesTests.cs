using CsCheck;
using Seq2Seq.Inference.LongLines;

namespace Seq2Seq.Inference.Tests.LongLines;

/// <summary>Sentences by the rules of UAX #29; ¦ stands where one ends.</summary>
public sealed class SentenceBoundariesTests
{
    [Theory]
    [InlineData("One. ¦Two! ¦Three? ¦Four")]
    [InlineData("He said: “Go.” ¦She went.")]
    [InlineData("(It rained.) ¦“Did it?” ¦'Yes.'")]
    [InlineData("It costs 3.50 or .5 in the U.S.A. and e.g. here.")]
    [InlineData("Wait… what?! ¦No.")]
    [InlineData("etc., and so on")]
    [InlineData("c.d. goes on")]
    [InlineData("first\n¦second\r\n¦third\u2029¦fourth")]
    [InlineData("A title.\n¦\n¦A text.")]
    [InlineData("今日は。¦元気ですか？¦はい！")]
    [InlineData("你好。」¦他说。")]
    [InlineData("हाँ। ¦नहीं॥ ¦शायद")]
    [InlineData("هل؟ ¦نعم۔ ¦لا")]
    [InlineData("One.\u0301 ¦Two")]
    [InlineData("ა. ¦ბ")]
    [InlineData("no end at all")]
    [InlineData("")]
    public void Sentences_end_where_unicode_says(string marked)
    {
        string text = marked.Replace("¦", "", StringComparison.Ordinal);

        Mark(text).Should().Be(marked);
    }

    [Fact]
    public void Sentences_of_any_text_cover_it()
    {
        Gen.String[Gen.Char["aA1. !?\n\r\u0301\"')(,;。\u2028\uD83D\uDE00"], 0, 40]
            .Sample(text =>
            {
                List<int> ends = SentenceBoundaries.Ends(text);
                ends.Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
                (ends.Count == 0 ? 0 : ends[^1]).Should().Be(text.Length);
            });
    }

    private static string Mark(string text)
    {
        int start = 0;
        List<string> sentences = [];
        foreach (int end in SentenceBoundaries.Ends(text))
        {
            sentences.Add(text[start..end]);
            start = end;
        }

        return string.Join('¦', sentences);
    }
}
