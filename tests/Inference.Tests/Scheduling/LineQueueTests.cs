using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Scheduling;

namespace Seq2Seq.Inference.Tests.Scheduling;

public sealed class LineQueueTests
{
    [Fact]
    public void The_longest_of_a_window_leave_first_and_windows_keep_their_order()
    {
        LineQueue queue = new(windowSize: 3);
        queue.Add([Line(1), Line(3), Line(2), Line(9), Line(4)]);

        Take(queue, 5).Should().Equal(3, 2, 1, 9, 4);
        queue.Count.Should().Be(0);
    }

    [Fact]
    public void Of_equal_lengths_the_first_that_came_leaves_first()
    {
        LineQueue queue = new(windowSize: 10);
        LineRequest[] lines = [Line(2), Line(2), Line(2)];
        queue.Add(lines);

        foreach (LineRequest expected in lines)
        {
            queue.TryTake(_ => true, out LineRequest? taken).Should().BeTrue();
            taken.Should().BeSameAs(expected);
        }
    }

    [Fact]
    public void A_line_that_does_not_fit_stays_the_next()
    {
        LineQueue queue = new(windowSize: 10);
        queue.Add([Line(2), Line(5)]);

        queue.TryTake(line => line.Source.Count < 5, out _).Should().BeFalse();

        Take(queue, 2).Should().Equal(5, 2);
    }

    private static LineRequest Line(int length) => new(new int[length], Settings, CancellationToken.None);

    private static GenerationSettings Settings { get; } =
        GenerationSettings.Resolve(
            GenerationParameters.Default,
            new GenerationDefaults { Parameters = new GenerationParameters { DecoderStartTokenId = 0 } },
            vocabularySize: 10,
            maxPositions: null,
            ParameterTexts.None
        );

    private static int[] Take(LineQueue queue, int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ => queue.TryTake(_ => true, out LineRequest? line) ? line.Source.Count : -1),
        ];
}
