namespace Seq2Seq.Inference.Generation.Drafting.Tests;

public sealed class DrafterTests
{
    private const int Start = 0;
    private const int End = 1;
    private static readonly int[] _source = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, End];

    [Fact]
    public void Without_a_token_of_the_source_nothing_is_copied()
    {
        Guesses(new Drafter(new DraftTable(), _source), [Start]).Should().BeEmpty();
    }

    [Fact]
    public void After_two_tokens_that_stand_in_the_source_those_behind_them_are_copied()
    {
        Guesses(new Drafter(new DraftTable(), _source), [Start, 12, 13]).Should().Equal(14, 15, 16, 17);
    }

    [Fact]
    public void More_is_copied_while_it_is_right()
    {
        Drafter drafter = new(new DraftTable(), _source);
        Guesses(drafter, [Start, 10, 11]).Should().Equal(12, 13, 14, 15);

        drafter.Learn(right: 4, drafted: 4);

        Guesses(drafter, [Start, 10, 11, 12, 13, 14, 15, 16]).Should().Equal(17, 18, 19, End);
    }

    [Fact]
    public void Copying_goes_on_behind_a_token_that_was_replaced()
    {
        Drafter drafter = new(new DraftTable(), _source);
        Guesses(drafter, [Start, 10, 11]).Should().StartWith([12, 13, 14]);

        drafter.Learn(right: 2, drafted: 4);

        Guesses(drafter, [Start, 10, 11, 12, 13, 99]).Should().Equal(15, 16, 17);
    }

    [Fact]
    public void Copying_goes_on_behind_one_that_came_after_guesses_that_were_right()
    {
        Drafter drafter = new(new DraftTable(), _source);
        Guesses(drafter, [Start, 10, 11]).Should().Equal(12, 13, 14, 15);

        drafter.Learn(right: 4, drafted: 4);

        Guesses(drafter, [Start, 10, 11, 12, 13, 14, 15, 99]).Should().Equal(17, 18, 19, End);
    }

    [Fact]
    public void Copying_goes_on_behind_a_token_that_was_left_out()
    {
        Drafter drafter = new(new DraftTable(), _source);
        Guesses(drafter, [Start, 10, 11]).Should().StartWith([12, 13, 14]);

        drafter.Learn(right: 2, drafted: 4);

        Guesses(drafter, [Start, 10, 11, 12, 13, 15]).Should().Equal(16, 17, 18);
    }

    [Fact]
    public void Copying_that_has_not_been_right_yet_ends_where_it_was_wrong()
    {
        Drafter drafter = new(new DraftTable(), _source);
        Guesses(drafter, [Start, 10, 11]).Should().StartWith([12]);

        drafter.Learn(right: 0, drafted: 4);

        Guesses(drafter, [Start, 10, 11, 99]).Should().BeEmpty();
    }

    [Fact]
    public void Once_outputs_were_seen_to_begin_like_their_sources_the_next_one_is_copied_from_its_start()
    {
        DraftTable table = new();
        new Drafter(table, [20, 21, 22, End]).Finish([Start, 20, 21, 99, End]);
        new Drafter(table, [30, 31, 32, End]).Finish([Start, 30, 31, 99, End]);

        Guesses(new Drafter(table, _source), [Start]).Should().Equal(10, 11, 12, 13);
    }

    [Fact]
    public void A_prefix_that_outputs_leave_out_is_left_out()
    {
        DraftTable table = new();
        new Drafter(table, [7, 8, 20, 21, 22, End]).Finish([Start, 20, 21, End]);
        new Drafter(table, [7, 8, 30, 31, 32, End]).Finish([Start, 30, 31, End]);

        Guesses(new Drafter(table, [7, 8, .. _source]), [Start]).Should().Equal(10, 11, 12, 13);
    }

    [Fact]
    public void Outputs_that_do_not_begin_like_their_sources_end_the_copying_from_the_start()
    {
        DraftTable table = new();
        new Drafter(table, [20, 21, 22, End]).Finish([Start, 20, 21, End]);
        new Drafter(table, [30, 31, 32, End]).Finish([Start, 30, 31, End]);
        new Drafter(table, [30, 31, 32, End]).Finish([Start, 98, 99, End]);

        Guesses(new Drafter(table, _source), [Start]).Should().BeEmpty();
    }

    [Fact]
    public void What_came_after_the_same_tokens_in_earlier_outputs_is_guessed()
    {
        DraftTable table = new();
        Drafter first = new(table, [5, End]);
        first.Finish([Start, 40, 41, 42, End]);
        first.Finish([Start, 40, 41, 42, End]);

        Guesses(new Drafter(table, _source), [Start, 40]).Should().Equal(41, 42, End);
    }

    private static int[] Guesses(Drafter drafter, int[] known)
    {
        int[] sequence = [.. known, .. new int[Drafter.LongestDraft]];
        int drafted = drafter.Guess(sequence, known.Length, Drafter.LongestDraft);
        return sequence[known.Length..(known.Length + drafted)];
    }
}
