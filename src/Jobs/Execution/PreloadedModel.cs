namespace Seq2Seq.Jobs.Execution;

/// <summary>A model that stands on a slot, ready to work.</summary>
/// <param name="Name">The configured model whose jobs it serves.</param>
/// <param name="ServedBy">The configured model that was loaded: another when the policy fell back to it.</param>
/// <param name="LoadId">Key of the load's report (<c>model_load.id</c>); results carry it.</param>
/// <param name="LinesPerSecond">What the probe after loading measured; null when it produced nothing.</param>
/// <param name="Model">The model.</param>
internal sealed record PreloadedModel(
    string Name,
    string ServedBy,
    long LoadId,
    double? LinesPerSecond,
    LoadedModel Model
);
