using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Tests.Families.Proof;

/// <summary>What a golden folder's model was seen to do, counted and not asserted: the cells of docs/models.md.</summary>
internal sealed record FamilyProof
{
    private const int DrawnLines = 12;

    public required string Name { get; init; }

    public required LoadStrategy Strategy { get; init; }

    /// <summary>Lines of greedy search whose tokens are the reference's.</summary>
    public required Count Greedy { get; init; }

    /// <summary>Lines of beam search whose tokens and scores are the reference's, every output of theirs.</summary>
    public required Count Beam { get; init; }

    /// <summary>The same lines, when all of them decode together.</summary>
    public required Count Together { get; init; }

    /// <summary>Lines that draw the same tokens from the same seed, alone and among others.</summary>
    public required Count Drawn { get; init; }

    public static async Task<FamilyProof> SeeAsync(GoldenFamily golden, CancellationToken cancellationToken)
    {
        await using SequenceModel model = SequenceModel.Load(golden.Options, cancellationToken);
        Count greedy = default;
        Count beam = default;
        Count together = default;
        var batches = golden.Cases.Select(test => GenerateAsync(model, test, golden.InputIds, cancellationToken));
        IReadOnlyList<SequenceResult>[] batched = await Task.WhenAll(batches);
        for (int i = 0; i < golden.Cases.Count; i++)
        {
            GoldenCase test = golden.Cases[i];
            for (int line = 0; line < golden.InputIds.Length; line++)
            {
                var alone = await GenerateAsync(model, test, [golden.InputIds[line]], cancellationToken);
                bool isMet = test.IsMetBy(alone[0], line);
                (greedy, beam) = test.Beams == 1 ? (greedy.With(isMet), beam) : (greedy, beam.With(isMet));
                together = together.With(test.IsMetBy(batched[i][line], line));
            }
        }

        return new FamilyProof
        {
            Name = Path.GetFileName(golden.Folder),
            Strategy = model.Report.Strategy!.Value,
            Greedy = greedy,
            Beam = beam,
            Together = together,
            Drawn = await DrawAsync(model, golden, cancellationToken),
        };
    }

    private static async Task<Count> DrawAsync(
        SequenceModel model,
        GoldenFamily golden,
        CancellationToken cancellationToken
    )
    {
        GenerationParameters drawing = new()
        {
            DoSample = true,
            NumBeams = 1,
            Seed = 5,
            MaxNewTokens = 8,
        };
        SequenceInput[] lines =
        [
            .. Enumerable
                .Range(0, DrawnLines)
                .Select(line => new SequenceInput
                {
                    TokenIds = golden.InputIds[line % golden.InputIds.Length],
                    Line = line,
                }),
        ];
        IReadOnlyList<SequenceResult> together = await model.GenerateAsync(lines, drawing, cancellationToken);
        Count drawn = default;
        for (int line = 0; line < lines.Length; line++)
        {
            var alone = await model.GenerateAsync([lines[line]], drawing, cancellationToken);
            drawn = drawn.With(alone[0].Outputs[0].TokenIds.SequenceEqual(together[line].Outputs[0].TokenIds));
        }

        return drawn;
    }

    private static Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        SequenceModel model,
        GoldenCase test,
        int[][] lines,
        CancellationToken cancellationToken
    ) =>
        model.GenerateAsync(
            [.. lines.Select(SequenceInput.FromTokenIds)],
            GenerationParametersJson.Read(test.Parameters),
            cancellationToken
        );
}

/// <summary>So many of so many.</summary>
internal readonly record struct Count(int Good, int All)
{
    public Count With(bool isGood) => new(Good + (isGood ? 1 : 0), All + 1);

    public static Count operator +(Count left, Count right) => new(left.Good + right.Good, left.All + right.All);

    public override string ToString() => $"{Good} of {All}";
}
