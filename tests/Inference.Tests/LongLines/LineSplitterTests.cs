using CsCheck;
using Seq2Seq.Inference.LongLines;

namespace Seq2Seq.Inference.Tests.LongLines;

/// <summary>Splitting with a tokenizer of one token a UTF-16 unit, so that a piece's tokens are its text.</summary>
public sealed class LineSplitterTests
{
    [Fact]
    public void As_many_whole_sentences_as_fit_make_a_piece() =>
        Split("One. Two. Three. Four is longer.", 10)
            .Should()
            .Equal("One. Two.| ", "Three.| ", "Four is| ", "longer.|");

    [Fact]
    public void White_space_between_pieces_is_kept_as_it_was() =>
        Split("  First one.\n\n\tSecond one.  ", 12).Should().Equal("First one.|\n\n\t", "Second one.|");

    [Fact]
    public void A_sentence_that_is_too_long_is_split_between_words() =>
        Split("aa bb  cc dd. Ee ff gg.", 6).Should().Equal("aa bb|  ", "cc dd.| ", "Ee ff| ", "gg.|");

    [Fact]
    public void A_word_that_is_too_long_is_split_between_graphemes() =>
        Split("abcde\u0301fgh", 5).Should().Equal("abcd|", "e\u0301fgh|");

    [Fact]
    public void A_grapheme_that_is_too_long_is_split_between_code_points() =>
        Split("👨‍👩‍👧‍👦x", 4).Should().Equal("👨\u200D|", "👩\u200D|", "👧\u200D|", "👦|", "x|");

    [Fact]
    public void Sentences_of_chinese_have_no_white_space_between_them() =>
        Split("你好吗。我很好。", 5).Should().Equal("你好吗。|", "我很好。|");

    [Fact]
    public void A_limit_that_no_code_point_meets_splits_nothing() =>
        LineSplitter.Split("one two", _ => null).Should().BeNull();

    [Fact]
    public void Pieces_of_any_text_fit_and_give_it_back()
    {
        Gen.Select(Gen.String[Gen.Char["abcAB 1.!?\n\t\u00A0\u0301,。\u200D\uD83D\uDE00"], 1, 80], Gen.Int[2, 12])
            .Where(sample => !string.IsNullOrWhiteSpace(sample.Item1))
            .Sample(sample =>
            {
                var (text, limit) = sample;
                IReadOnlyList<SourcePiece> pieces = LineSplitter.Split(text, piece => Encode(piece, limit))!;

                pieces.Should().OnlyContain(piece => piece.Tokens.Count >= 1 && piece.Tokens.Count <= limit);
                string.Concat(pieces.Select(piece => Text(piece) + piece.Gap)).Should().Be(text.Trim());
                pieces.Should().OnlyContain(piece => string.IsNullOrWhiteSpace(piece.Gap));
            });
    }

    private static IEnumerable<string> Split(string text, int limit) =>
        LineSplitter.Split(text, piece => Encode(piece, limit))!.Select(piece => $"{Text(piece)}|{piece.Gap}");

    private static int[]? Encode(string piece, int limit) =>
        piece.Length <= limit ? [.. piece.Select(letter => (int)letter)] : null;

    private static string Text(SourcePiece piece) => string.Concat(piece.Tokens.Select(token => (char)token));
}
