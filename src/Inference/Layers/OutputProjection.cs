using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Hidden states → logits, at the end of a decoder. Where a step asks for nothing but each row's likeliest token, the
/// vocabulary is screened (<see cref="VocabularyScreen"/>): the logits of tokens that can't be the likeliest are left out.
/// </summary>
internal sealed class OutputProjection : IDisposable
{
    /// <summary>Where the product of a row is smaller, a screen costs more than it saves.</summary>
    private const int LeastWeights = 1024 * 1024;

    private readonly Linear _linear;

    // Made when it is first asked for: it holds a copy of the weights, in 8 bits.
    private readonly Lazy<VocabularyScreen?> _screen;

    /// <param name="linear">Model width → vocabulary; disposed with this.</param>
    public OutputProjection(Linear linear)
    {
        _linear = linear;
        _screen = new Lazy<VocabularyScreen?>(() =>
            (long)linear.InFeatures * linear.OutFeatures < LeastWeights ? null : VocabularyScreen.Create(linear)
        );
    }

    /// <param name="hidden">The decoder's hidden states, a row for each of the batch's.</param>
    /// <param name="batch">What each row asks for.</param>
    /// <param name="logits">Resized to the rows; a logit that was left out is minus infinity.</param>
    public void Forward(Rows hidden, DecoderBatch batch, Rows logits)
    {
        if (batch.AsksForLikeliestOnly && _screen.Value is { } screen)
        {
            screen.Forward(hidden, batch, logits);
        }
        else
        {
            _linear.Forward(hidden, logits);
        }
    }

    public void Dispose()
    {
        if (_screen.IsValueCreated)
        {
            _screen.Value?.Dispose();
        }

        _linear.Dispose();
    }
}
