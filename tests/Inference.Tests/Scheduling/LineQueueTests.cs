using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Scheduling;

namespace Seq2Seq.Inference.Tests.Scheduling;

public sealed class LineQueueTests
{
    [Fact]
    public void The_longest_of_a_window_leave_first_and_windows_keep_their_order()
    {
        LineQueue queue = new(windowSize: 3);
        queue.Add(new LineCall(5), [Line(1), Line(3), Line(2), Line(9), Line(4)]);

        Take(queue, 5).Should().Equal(3, 2, 1, 9, 4);
        queue.Count.Should().Be(0);
    }

    [Fact]
    public void Of_equal_lengths_the_first_that_came_leaves_first()
    {
        LineQueue queue = new(windowSize: 10);
        LineRequest[] lines = [Line(2), Line(2), Line(2)];
        queue.Add(new LineCall(3), lines);

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
        queue.Add(new LineCall(5), [Line(2), Line(5)]);

        queue.TryTake(line => line.Source.Count < 5, out _).Should().BeFalse();

        Take(queue, 2).Should().Equal(5, 2);
    }

    [Fact]
    public void A_caller_with_few_lines_passes_one_with_many_that_came_before()
    {
        LineQueue queue = new(windowSize: 10);
        queue.Add(new LineCall(1000), [Line(9), Line(9), Line(9), Line(9), Line(9)]);
        Take(queue, 1).Should().Equal(9);

        queue.Add(new LineCall(2), [Line(1), Line(1)]);

        Take(queue, 6).Should().Equal(1, 9, 1, 9, 9, 9);
    }

    [Fact]
    public void A_caller_with_many_lines_is_not_held_up_by_ever_more_with_few()
    {
        LineQueue queue = new(windowSize: 10);
        queue.Add(new LineCall(2), [Line(9), Line(9)]);
        int taken = 0;

        for (int i = 0; i < 4; i++)
        {
            queue.Add(new LineCall(1), [Line(1)]);
            taken += Take(queue, 1)[0] == 9 ? 1 : 0;
        }

        taken.Should().Be(2);
    }

    [Fact]
    public void Callers_with_equally_many_lines_come_one_after_the_other()
    {
        LineQueue queue = new(windowSize: 10);
        LineCall first = new(4);
        queue.Add(first, [Line(2), Line(2)]);
        queue.Add(new LineCall(4), [Line(3), Line(3)]);
        Take(queue, 2).Should().Equal(2, 2);
        queue.Add(first, [Line(1), Line(1)]);

        Take(queue, 4).Should().Equal(1, 1, 3, 3);
    }

    [Fact]
    public void A_line_that_was_given_back_is_the_next()
    {
        LineQueue queue = new(windowSize: 10);
        queue.Add(new LineCall(2), [Line(5), Line(4)]);
        queue.TryTake(_ => true, out LineRequest? line).Should().BeTrue();

        queue.TryGiveBack(line!).Should().BeTrue();

        queue.Count.Should().Be(2);
        Take(queue, 2).Should().Equal(5, 4);
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
