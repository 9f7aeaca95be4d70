using Seq2Seq.Inference.Layers;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers;

/// <summary>Sinusoids without a longest position against their formula.</summary>
public sealed class EndlessPositionsTests
{
    private const float Tolerance = 2e-4f;

    [Theory]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(24)]
    public void A_row_is_sines_then_cosines_of_wavelengths_that_grow_to_the_last(int width)
    {
        using EndlessPositions positions = new(width, paddingRow: 1, CPU);
        int[] rows = [0, 2, 3, 100, 511];

        float[] actual = Added(positions, rows, width);

        for (int i = 0; i < rows.Length; i++)
        {
            for (int column = 0; column < width; column++)
            {
                actual[(i * width) + column]
                    .Should()
                    .BeApproximately(Formula(rows[i], column, width), Tolerance, $"row {rows[i]}, column {column}");
            }
        }
    }

    [Fact]
    public void The_table_grows_and_earlier_rows_stay_the_same()
    {
        using EndlessPositions positions = new(8, paddingRow: null, CPU);
        float[] before = Added(positions, [0, 5, 511], 8);

        float[] far = Added(positions, [5000], 8);

        Added(positions, [0, 5, 511], 8).Should().Equal(before);
        for (int column = 0; column < 8; column++)
        {
            // Angles of thousands are rounded in float32 before their sine is taken, as in the reference.
            far[column].Should().BeApproximately(Formula(5000, column, 8), 2e-3f);
        }
    }

    [Fact]
    public void The_padding_row_adds_nothing()
    {
        using EndlessPositions positions = new(6, paddingRow: 3, CPU);

        Added(positions, [3], 6).Should().OnlyContain(value => value == 0);
        Added(positions, [2, 4], 6).Should().Contain(value => value != 0);
    }

    [Fact]
    public void Rows_that_a_checkpoint_has_stand_in_place_of_the_formula()
    {
        using Tensor table = tensor([9f, 8, 7, 6, 5, 4, 3, 2], [2, 4]);
        using Embedding stored = new(table);
        using EndlessPositions positions = new(4, paddingRow: null, CPU, stored);

        float[] actual = Added(positions, [1, 2], 4);

        actual[..4].Should().Equal(5, 4, 3, 2);
        actual[4].Should().BeApproximately(Formula(2, 0, 4), Tolerance);
    }

    [Fact]
    public void Vectors_are_added_to_what_is_there()
    {
        using EndlessPositions positions = new(4, paddingRow: null, CPU);
        using Rows output = new(4, CPU, count: 1);
        output.Span.Fill(10);

        positions.Add([0], output);

        output.Span.ToArray().Should().Equal(10, 10, 11, 11);
    }

    /// <summary>sin and cos of row / 10000^(i / (half − 1)); an odd width ends in a zero.</summary>
    private static float Formula(int row, int column, int width)
    {
        int half = width / 2;
        if (column >= 2 * half)
        {
            return 0;
        }

        double angle = row / Math.Pow(10000, column % half / (double)(half - 1));
        return (float)(column < half ? Math.Sin(angle) : Math.Cos(angle));
    }

    private static float[] Added(EndlessPositions positions, int[] rows, int width)
    {
        using Rows output = new(width, CPU, rows.Length);
        output.Span.Clear();
        positions.Add(rows, output);
        return output.Span.ToArray();
    }
}
