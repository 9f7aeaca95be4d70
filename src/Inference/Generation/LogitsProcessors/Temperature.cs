namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Divides the scores: above 1 evens the distribution out, below 1 sharpens it (TemperatureLogitsWarper).</summary>
internal sealed class Temperature(double temperature) : LogitsProcessor
{
    private readonly float _temperature = (float)temperature;

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        foreach (ref float score in scores)
        {
            score /= _temperature;
        }
    }
}
