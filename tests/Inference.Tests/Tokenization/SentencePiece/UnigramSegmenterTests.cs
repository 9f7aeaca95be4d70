using System.Text;
using CsCheck;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tests.Tokenization.SentencePiece;

public sealed class UnigramSegmenterTests
{
    private const int UnknownId = 0;

    [Fact]
    public void No_other_segmentation_is_more_probable()
    {
        var pieces = Gen.Select(Gen.Char['a', 'c'].Array[1, 4], Gen.Int[1, 20])
            .Array[1, 12]
            .Select(found => found.DistinctBy(piece => new string(piece.Item1), StringComparer.Ordinal).ToArray());

        Gen.Select(pieces, Gen.Char['a', 'd'].Array[0, 10])
            .Sample(
                (found, text) =>
                {
                    var model = ModelOf([
                        .. found.Select(piece => new Piece(new string(piece.Item1), -piece.Item2, PieceType.Normal)),
                    ]);
                    var segments = Segment(model, new string(text));
                    string.Concat(segments.Select(segment => segment.Text)).Should().Be(new string(text));
                    segments.Sum(segment => ScoreOf(model, segment)).Should().Be(BestScore(model, new string(text)));
                },
                iter: 500
            );
    }

    [Fact]
    public void User_defined_symbols_cost_next_to_nothing_and_unused_pieces_are_never_taken()
    {
        var model = ModelOf([
            new Piece("abc", -8, PieceType.Normal),
            new Piece("bc", -99, PieceType.UserDefined),
            new Piece("a", -7, PieceType.Normal),
            new Piece("ddd", -0.1f, PieceType.Unused),
            new Piece("d", -5, PieceType.Normal),
        ]);

        Segment(model, "abcddd").Select(segment => segment.Text).Should().Equal("a", "bc", "d", "d", "d");
    }

    private static SentencePieceModel ModelOf(Piece[] pieces) =>
        new()
        {
            Pieces = [new Piece("<unk>", 0, PieceType.Unknown), .. pieces],
            Normalizer = NormalizerSettings.Default,
        };

    private static List<(string Text, int Id)> Segment(SentencePieceModel model, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var spans = new PooledList<PieceSpan>(16);
        new UnigramSegmenter(model, UnknownId).Segment(bytes, ref spans);
        var (segments, start) = (new List<(string, int)>(), 0);
        foreach (var (id, end) in spans.Span)
        {
            segments.Add((Encoding.UTF8.GetString(bytes, start, end - start), id));
            start = end;
        }
        spans.Dispose();
        return segments;
    }

    private static float ScoreOf(SentencePieceModel model, (string Text, int Id) segment) =>
        segment.Id == UnknownId ? Unknown(model) : model.Pieces[segment.Id].Score;

    private static float Unknown(SentencePieceModel model) => model.Pieces.Skip(1).Min(piece => piece.Score) - 10;

    /// <summary>By trying every first piece.</summary>
    private static float BestScore(SentencePieceModel model, string text)
    {
        if (text.Length == 0)
            return 0;
        var ways = model
            .Pieces.Skip(1)
            .Where(piece => text.StartsWith(piece.Text, StringComparison.Ordinal))
            .Select(piece => piece.Score + BestScore(model, text[piece.Text.Length..]));
        var isKnown = model.Pieces.Any(piece => piece.Text == text[..1]);
        return isKnown ? ways.Max() : ways.Append(Unknown(model) + BestScore(model, text[1..])).Max();
    }
}
