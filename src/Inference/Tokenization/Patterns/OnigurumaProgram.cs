using System.Buffers;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Patterns;

internal enum OnigurumaOperation
{
    Set,
    Split,
    Jump,
    Guard,
    GuardCheck,
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    TextEndOrNewline,
    WordBoundary,
    NotWordBoundary,
    LookAhead,
    NotLookAhead,
    LookBehind,
    NotLookBehind,
    Atomic,
    Match,
}

/// <summary>
/// An expression compiled to steps and run by backtracking over code points, as Oniguruma (which the tokenizers library
/// searches with) does. .NET's own expressions see UTF-16 units, where letters beyond the basic plane are none. A search
/// that takes too many steps is broken off.
/// </summary>
internal sealed class OnigurumaProgram
{
    private const int MaxInstructions = 20_000;
    private const int MaxSteps = 20_000_000;

    private readonly List<Instruction> _instructions = [];
    private int _guards;
    private CharacterSet? _first;

    public int Length => _instructions.Count;

    public static OnigurumaProgram Of(OnigurumaNode node)
    {
        var program = new OnigurumaProgram();
        node.Emit(program);
        program.Add(OnigurumaOperation.Match);
        program._first = program.FindFirst();
        return program;
    }

    public int Add(OnigurumaOperation operation)
    {
        if (_instructions.Count >= MaxInstructions)
            throw new FormatException("The expression is too large.");
        _instructions.Add(new Instruction(operation));
        return _instructions.Count - 1;
    }

    public void AddSet(CharacterSet set) => Change(Add(OnigurumaOperation.Set), step => step with { Set = set });

    public void AddGroup(OnigurumaOperation operation, OnigurumaProgram body, int min, int max) =>
        Change(Add(operation), step => step with { Body = body, First = min, Second = max });

    public int AddGuard()
    {
        var guard = _guards++;
        SetFirst(Add(OnigurumaOperation.Guard), guard);
        return guard;
    }

    public void AddGuardCheck(int guard) => SetFirst(Add(OnigurumaOperation.GuardCheck), guard);

    public void SetFirst(int instruction, int target) => Change(instruction, step => step with { First = target });

    public void SetSecond(int instruction, int target) => Change(instruction, step => step with { Second = target });

    /// <summary>The leftmost match from a place on.</summary>
    /// <exception cref="EncodeException">The search takes too long.</exception>
    public bool Search(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        var steps = MaxSteps;
        for (start = from; start <= text.Length; start++)
        {
            var rune = RuneAt(text, start, out var length);
            if (_first is null || (length > 0 && _first.Contains(rune)))
            {
                end = MatchAt(text, start, ref steps);
                if (end >= 0)
                    return true;
            }
            start += Math.Max(0, length - 1);
        }
        end = -1;
        return false;
    }

    private int MatchAt(ReadOnlySpan<char> text, int start, ref int steps)
    {
        var guards = _guards == 0 ? [] : new int[_guards];
        var stack = new Stack<Backtrack>();
        var (step, position) = (0, start);
        while (true)
        {
            if (--steps < 0)
                throw new EncodeException(
                    EncodeException.PatternTooSlow,
                    "An expression of the tokenizer takes too long."
                );
            var instruction = _instructions[step];
            switch (instruction.Operation)
            {
                case OnigurumaOperation.Match:
                    return position;
                case OnigurumaOperation.Split:
                    stack.Push(new Backtrack(instruction.Second, position, -1));
                    step = instruction.First;
                    continue;
                case OnigurumaOperation.Jump:
                    step = instruction.First;
                    continue;
                case OnigurumaOperation.Guard:
                    stack.Push(new Backtrack(-1, guards[instruction.First], instruction.First));
                    guards[instruction.First] = position;
                    step++;
                    continue;
                case OnigurumaOperation.GuardCheck:
                    // Behind the jump back to the loop's start is its exit.
                    step += guards[instruction.First] == position ? 2 : 1;
                    continue;
                default:
                    var next = Advance(instruction, text, position, ref steps);
                    if (next >= 0)
                    {
                        position = next;
                        step++;
                        continue;
                    }
                    break;
            }
            if (!Resume(stack, guards, ref step, ref position))
                return -1;
        }
    }

    private static bool Resume(Stack<Backtrack> stack, int[] guards, ref int step, ref int position)
    {
        while (stack.TryPop(out var back))
        {
            if (back.Step >= 0)
            {
                (step, position) = (back.Step, back.Position);
                return true;
            }
            guards[back.Guard] = back.Position;
        }
        return false;
    }

    /// <summary>The position behind a step that matches, or −1.</summary>
    private static int Advance(Instruction instruction, ReadOnlySpan<char> text, int position, ref int steps)
    {
        switch (instruction.Operation)
        {
            case OnigurumaOperation.Set:
                var rune = RuneAt(text, position, out var length);
                return length > 0 && instruction.Set!.Contains(rune) ? position + length : -1;
            case OnigurumaOperation.LineStart:
                return If(position == 0 || text[position - 1] == '\n', position);
            case OnigurumaOperation.LineEnd:
                return If(position == text.Length || text[position] == '\n', position);
            case OnigurumaOperation.TextStart:
                return If(position == 0, position);
            case OnigurumaOperation.TextEnd:
                return If(position == text.Length, position);
            case OnigurumaOperation.TextEndOrNewline:
                return If(position == text.Length || text[position..] is "\n", position);
            case OnigurumaOperation.WordBoundary:
                return If(IsWordBoundary(text, position), position);
            case OnigurumaOperation.NotWordBoundary:
                return If(!IsWordBoundary(text, position), position);
            case OnigurumaOperation.LookAhead:
                return If(instruction.Body!.MatchAt(text, position, ref steps) >= 0, position);
            case OnigurumaOperation.NotLookAhead:
                return If(instruction.Body!.MatchAt(text, position, ref steps) < 0, position);
            case OnigurumaOperation.LookBehind:
                return If(IsBehind(instruction, text, position, ref steps), position);
            case OnigurumaOperation.NotLookBehind:
                return If(!IsBehind(instruction, text, position, ref steps), position);
            case OnigurumaOperation.Atomic:
                return instruction.Body!.MatchAt(text, position, ref steps);
            default:
                throw new InvalidOperationException($"No such step: {instruction.Operation}.");
        }
    }

    private static int If(bool holds, int position) => holds ? position : -1;

    private static bool IsBehind(Instruction instruction, ReadOnlySpan<char> text, int position, ref int steps)
    {
        for (var length = instruction.First; length <= instruction.Second && length <= position; length++)
        {
            if (instruction.Body!.MatchAt(text[..position], position - length, ref steps) == position)
                return true;
        }
        return false;
    }

    private static bool IsWordBoundary(ReadOnlySpan<char> text, int position)
    {
        var before =
            Rune.DecodeLastFromUtf16(text[..position], out var last, out _) == OperationStatus.Done
            && CharacterProperty.Word.Contains(last);
        var rune = RuneAt(text, position, out var length);
        return before != (length > 0 && CharacterProperty.Word.Contains(rune));
    }

    private static Rune RuneAt(ReadOnlySpan<char> text, int position, out int length)
    {
        length = 0;
        if (position >= text.Length)
            return default;
        Rune.DecodeFromUtf16(text[position..], out var rune, out length);
        return rune;
    }

    /// <summary>The characters that a match can begin with; null when it can be empty.</summary>
    private CharacterSet? FindFirst()
    {
        var sets = new List<CharacterSet>();
        var seen = new HashSet<int>();
        var open = new Stack<int>([0]);
        while (open.TryPop(out var step))
        {
            if (!seen.Add(step))
                continue;
            var instruction = _instructions[step];
            switch (instruction.Operation)
            {
                case OnigurumaOperation.Match:
                    return null;
                case OnigurumaOperation.Set:
                    sets.Add(instruction.Set!);
                    break;
                case OnigurumaOperation.Split:
                    open.Push(instruction.First);
                    open.Push(instruction.Second);
                    break;
                case OnigurumaOperation.Jump:
                    open.Push(instruction.First);
                    break;
                case OnigurumaOperation.GuardCheck:
                    open.Push(step + 1);
                    open.Push(step + 2);
                    break;
                case OnigurumaOperation.Atomic when instruction.Body!._first is { } first:
                    sets.Add(first);
                    break;
                default:
                    open.Push(step + 1);
                    break;
            }
        }
        return CharacterSet.Union(sets);
    }

    private void Change(int instruction, Func<Instruction, Instruction> change) =>
        _instructions[instruction] = change(_instructions[instruction]);

    private sealed record Instruction(OnigurumaOperation Operation)
    {
        public int First { get; init; }
        public int Second { get; init; }
        public CharacterSet? Set { get; init; }
        public OnigurumaProgram? Body { get; init; }
    }

    private readonly record struct Backtrack(int Step, int Position, int Guard);
}
