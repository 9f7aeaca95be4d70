using CsCheck;
using Seq2Seq.Inference.Layers.Attention;
using Seq2Seq.Inference.Scheduling;

namespace Seq2Seq.Inference.Tests.Scheduling;

public sealed class LinePlacesTests
{
    private const int Rows = 4;

    [Fact]
    public void What_a_row_reads_is_never_written_again() =>
        Gen.Int[0, Rows - 1]
            .Array[Rows]
            .Array[1, 100]
            .Sample(
                steps =>
                {
                    using KeyValueCache cache = new(layers: 1, width: 2, TorchSharp.torch.CPU);
                    using LinePlaces places = new(cache, Rows);
                    Dictionary<int, int> written = [];
                    int[][] sequences = [.. Enumerable.Repeat<int[]>([], Rows)];
                    List<int>[] tokens = [.. Enumerable.Range(0, Rows).Select(_ => new List<int>())];
                    int nextToken = 0;
                    foreach (int[] parents in steps)
                    {
                        places.Reserve(Rows, sequences, sequences[0].Length);
                        for (int row = 0; row < Rows; row++)
                        {
                            int place = places.Next();
                            written[place] = nextToken;
                            sequences[row] = [.. sequences[row], place];
                            tokens[row].Add(nextToken++);
                        }

                        sequences = [.. parents.Select(parent => sequences[parent])];
                        tokens = [.. parents.Select(parent => new List<int>(tokens[parent]))];
                    }

                    return sequences
                        .Zip(tokens)
                        .All(row => row.First.Select(place => written[place]).SequenceEqual(row.Second));
                },
                iter: 200
            );

    [Fact]
    public void What_only_losing_beams_wrote_is_used_again()
    {
        using KeyValueCache cache = new(layers: 1, width: 2, TorchSharp.torch.CPU);
        using LinePlaces places = new(cache, Rows);
        int[] winner = [];
        for (int step = 0; step < 200; step++)
        {
            places.Reserve(Rows, [winner, winner, winner, winner], winner.Length);
            winner = [.. winner, places.Next()];
            for (int loser = 1; loser < Rows; loser++)
            {
                places.Next();
            }
        }

        // The winner's 200, and what a block or two hold besides.
        cache.Taken.Should().BeLessThan(200 + (2 * LinePlaces.BlockLength(Rows)));
    }

    [Fact]
    public void All_places_come_back_with_the_line()
    {
        using KeyValueCache cache = new(layers: 1, width: 2, TorchSharp.torch.CPU);
        using (LinePlaces places = new(cache, rows: 1))
        {
            for (int step = 0; step < 40; step++)
            {
                places.Reserve(
                    1,
                    [
                        [],
                    ],
                    length: 0
                );
                places.Next();
            }

            cache.Taken.Should().BeGreaterThanOrEqualTo(40);
        }

        cache.Taken.Should().Be(0);
    }
}
