using System.Text;
using CsCheck;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tests.Tokenization.SentencePiece;

public sealed class PieceTrieTests
{
    private static Gen<string[]> Pieces { get; } =
        Gen.OneOf(Gen.Char['a', 'd'], Gen.Char['à', 'ü'], Gen.Char['一', '世'])
            .Array[1, 8]
            .Select(characters => new string(characters))
            .Array[0, 300];

    [Fact]
    public void Every_piece_leads_to_its_id_and_nothing_else_does()
    {
        Pieces.Sample(
            pieces =>
            {
                var trie = PieceTrie.Build(pieces.Select((piece, id) => (piece, id)));
                foreach (var piece in pieces)
                {
                    Find(trie, piece).Should().Be(Array.LastIndexOf(pieces, piece));
                    Find(trie, piece + "e").Should().Be(-1);
                    if (!pieces.Contains(piece[..^1], StringComparer.Ordinal))
                        Find(trie, piece[..^1]).Should().Be(-1);
                }
            },
            iter: 200
        );
    }

    [Fact]
    public void The_longest_piece_that_begins_a_text_is_found()
    {
        Gen.Select(Pieces, Gen.Char['a', 'd'].Array[0, 12])
            .Sample(
                (pieces, characters) =>
                {
                    var text = new string(characters);
                    var trie = PieceTrie.Build(pieces.Select((piece, id) => (piece, id)));
                    var longest = pieces
                        .Where(piece => text.StartsWith(piece, StringComparison.Ordinal))
                        .Select(piece => piece.Length)
                        .Append(0)
                        .Max();
                    trie.Longest(Encoding.UTF8.GetBytes(text)).Should().Be(longest);
                },
                iter: 200
            );
    }

    private static int Find(PieceTrie trie, string piece)
    {
        var node = PieceTrie.Root;
        foreach (var label in Encoding.UTF8.GetBytes(piece))
        {
            node = trie.Step(node, label);
            if (node < 0)
                return -1;
        }
        return node == PieceTrie.Root ? -1 : trie.Id(node);
    }
}
