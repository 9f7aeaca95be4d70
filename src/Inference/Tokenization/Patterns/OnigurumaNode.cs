namespace Seq2Seq.Inference.Tokenization.Patterns;

/// <summary>A part of an expression, which writes itself into a program.</summary>
internal abstract record OnigurumaNode
{
    /// <summary>The fewest UTF-16 units that it matches.</summary>
    public abstract int MinLength { get; }

    /// <summary>The most, or null for no bound.</summary>
    public abstract int? MaxLength { get; }

    public abstract void Emit(OnigurumaProgram program);
}

internal sealed record EmptyNode : OnigurumaNode
{
    public override int MinLength => 0;
    public override int? MaxLength => 0;

    public override void Emit(OnigurumaProgram program) { }
}

internal sealed record SetNode(CharacterSet Set) : OnigurumaNode
{
    public override int MinLength => 1;
    public override int? MaxLength => 2;

    public override void Emit(OnigurumaProgram program) => program.AddSet(Set);
}

internal sealed record AssertionNode(OnigurumaOperation Operation) : OnigurumaNode
{
    public override int MinLength => 0;
    public override int? MaxLength => 0;

    public override void Emit(OnigurumaProgram program) => program.Add(Operation);
}

internal sealed record SequenceNode(IReadOnlyList<OnigurumaNode> Nodes) : OnigurumaNode
{
    public override int MinLength => Nodes.Sum(node => node.MinLength);
    public override int? MaxLength =>
        Nodes.Any(node => node.MaxLength is null) ? null : Nodes.Sum(node => node.MaxLength!.Value);

    public override void Emit(OnigurumaProgram program)
    {
        foreach (var node in Nodes)
            node.Emit(program);
    }
}

internal sealed record AlternationNode(IReadOnlyList<OnigurumaNode> Choices) : OnigurumaNode
{
    public override int MinLength => Choices.Min(node => node.MinLength);
    public override int? MaxLength =>
        Choices.Any(node => node.MaxLength is null) ? null : Choices.Max(node => node.MaxLength!.Value);

    public override void Emit(OnigurumaProgram program)
    {
        var ends = new List<int>();
        for (var i = 0; i < Choices.Count - 1; i++)
        {
            var split = program.Add(OnigurumaOperation.Split);
            program.SetFirst(split, program.Length);
            Choices[i].Emit(program);
            ends.Add(program.Add(OnigurumaOperation.Jump));
            program.SetSecond(split, program.Length);
        }
        Choices[^1].Emit(program);
        foreach (var end in ends)
            program.SetFirst(end, program.Length);
    }
}

internal sealed record RepeatNode(OnigurumaNode Body, int Min, int? Max, bool Lazy) : OnigurumaNode
{
    public override int MinLength => Body.MinLength * Min;
    public override int? MaxLength => Max is null || Body.MaxLength is null ? null : Body.MaxLength * Max;

    public override void Emit(OnigurumaProgram program)
    {
        for (var i = 0; i < Min; i++)
            Body.Emit(program);
        if (Max is null)
        {
            EmitLoop(program);
            return;
        }
        var exits = new List<int>();
        for (var i = Min; i < Max; i++)
        {
            exits.Add(EmitChoice(program));
            Body.Emit(program);
        }
        foreach (var exit in exits)
            SetExit(program, exit);
    }

    private void EmitLoop(OnigurumaProgram program)
    {
        var choice = EmitChoice(program);
        // A body that matched nothing would go round for ever.
        var guard = Body.MinLength == 0 ? program.AddGuard() : -1;
        Body.Emit(program);
        if (guard >= 0)
            program.AddGuardCheck(guard);
        program.SetFirst(program.Add(OnigurumaOperation.Jump), choice);
        SetExit(program, choice);
    }

    private int EmitChoice(OnigurumaProgram program)
    {
        var choice = program.Add(OnigurumaOperation.Split);
        if (Lazy)
            program.SetSecond(choice, program.Length);
        else
            program.SetFirst(choice, program.Length);
        return choice;
    }

    private void SetExit(OnigurumaProgram program, int choice)
    {
        if (Lazy)
            program.SetFirst(choice, program.Length);
        else
            program.SetSecond(choice, program.Length);
    }
}

/// <summary>Look-ahead, look-behind and atomic groups: programs of their own.</summary>
internal sealed record GroupNode(OnigurumaOperation Operation, OnigurumaNode Body) : OnigurumaNode
{
    public override int MinLength => Operation == OnigurumaOperation.Atomic ? Body.MinLength : 0;
    public override int? MaxLength => Operation == OnigurumaOperation.Atomic ? Body.MaxLength : 0;

    public override void Emit(OnigurumaProgram program) =>
        program.AddGroup(Operation, OnigurumaProgram.Of(Body), Body.MinLength, Body.MaxLength ?? 0);
}
