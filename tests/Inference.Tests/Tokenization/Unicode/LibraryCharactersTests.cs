using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tests.Tokenization.Unicode;

/// <summary>Answers of tokenizers 0.23.3 where its Unicode is older than .NET's, or other.</summary>
public sealed class LibraryCharactersTests
{
    [Theory]
    [InlineData(0x2E3B, true)]
    [InlineData(0x2E44, false)] // Unicode 9
    [InlineData(0x2E5A, false)] // Unicode 14
    [InlineData(0x166D, true)] // a symbol since Unicode 12
    [InlineData('$', true)]
    [InlineData('a', false)]
    public void Punctuation_is_that_of_unicode_8(int character, bool isPunctuation) =>
        LibraryCharacters.IsPunctuation(new Rune(character)).Should().Be(isPunctuation);

    [Theory]
    [InlineData(0x0301, true)]
    [InlineData(0x08D4, false)] // Unicode 9
    [InlineData(0x1734, true)] // has a width since Unicode 14
    [InlineData('a', false)]
    public void Marks_are_those_of_unicode_8(int character, bool isMark) =>
        LibraryCharacters.IsNonspacingMark(new Rune(character)).Should().Be(isMark);

    [Theory]
    [InlineData(0xAD, true)]
    [InlineData(0x0890, false)] // Unicode 14
    [InlineData(0xE000, true)]
    [InlineData(0x07, true)]
    [InlineData(' ', false)]
    public void Controls_are_those_of_unicode_8(int character, bool isOther) =>
        LibraryCharacters.IsOther(new Rune(character)).Should().Be(isOther);

    [Theory]
    [InlineData("e\u0301 \uFB01", "\u00E9 fi")]
    [InlineData("\u32FF", "\u32FF")] // the era name of Unicode 12.1
    [InlineData("\u3300\u32FF\uFB01", "\u30A2\u30D1\u30FC\u30C8\u32FFfi")]
    [InlineData("a\u0345\u0898", "a\u0345\u0898")] // a mark of Unicode 14, which would come first
    public void What_came_after_unicode_9_is_left_as_it_is(string text, string expected) =>
        LibraryCharacters.Normalize(text, NormalizationForm.FormKC).Should().Be(expected);
}
