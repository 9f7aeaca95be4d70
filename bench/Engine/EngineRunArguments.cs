using System.CommandLine;

namespace Seq2Seq.Bench.Engine;

/// <summary>The words of <c>bench engine</c> and <c>bench profile</c>: those of the peers' script.</summary>
internal sealed class EngineRunArguments
{
    private readonly Argument<string> _model = new("MODEL") { Description = "A Hugging Face folder" };
    private readonly Argument<string> _lines = new("LINES") { Description = "A text file, one source a line" };
    private readonly Option<string> _compute = new("--compute") { DefaultValueFactory = _ => "float32" };
    private readonly Option<int> _beam = new("--beam") { DefaultValueFactory = _ => 1 };
    private readonly Option<int> _threads = new("--threads")
    {
        Description = "Cores of each worker",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<int> _workers = new("--workers")
    {
        Description = "Models side by side",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Lines handed over at once; 0 is all",
        DefaultValueFactory = _ => 0,
    };
    private readonly Option<int> _maxNew = new("--max-new") { DefaultValueFactory = _ => 64 };
    private readonly Option<int> _minNew = new("--min-new") { DefaultValueFactory = _ => 0 };
    private readonly Option<int> _limit = new("--limit")
    {
        Description = "Lines to take of the file",
        DefaultValueFactory = _ => int.MaxValue,
    };
    private readonly Option<string?> _parameters = new("--parameters")
    {
        Description = "Further generation parameters, as a JSON object",
    };
    private readonly Option<string[]> _without = new("--without")
    {
        Description = $"A lossless saving to leave out: {string.Join(", ", SavingNames.All)}",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string?> _out = new("--out") { Description = "File for the outputs" };

    /// <param name="command">Takes these arguments.</param>
    public EngineRunArguments(Command command)
    {
        _without.AcceptOnlyFromAmong([.. SavingNames.All]);
        command.Arguments.Add(_model);
        command.Arguments.Add(_lines);
        foreach (
            Option option in new Option[]
            {
                _compute,
                _beam,
                _threads,
                _workers,
                _batch,
                _maxNew,
                _minNew,
                _limit,
                _parameters,
                _without,
                _out,
            }
        )
        {
            command.Options.Add(option);
        }
    }

    public EngineRunOptions Read(ParseResult parsed) =>
        new()
        {
            Model = parsed.GetRequiredValue(_model),
            Lines = parsed.GetRequiredValue(_lines),
            Compute = parsed.GetRequiredValue(_compute),
            Beam = parsed.GetValue(_beam),
            Threads = parsed.GetValue(_threads),
            Workers = parsed.GetValue(_workers),
            Batch = parsed.GetValue(_batch),
            MaxNew = parsed.GetValue(_maxNew),
            MinNew = parsed.GetValue(_minNew),
            Limit = parsed.GetValue(_limit),
            Parameters = parsed.GetValue(_parameters),
            Savings = SavingNames.Without(parsed.GetValue(_without) ?? []),
            Out = parsed.GetValue(_out),
        };
}
