using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using Seq2Seq.Inference.Loading;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.M2M100;

/// <summary>
/// Fairseq's positions: sinusoids whose row 0 is never used, the first token's row follows the padding token's id, and a
/// padding token within a line has a vector of zeros and does not count (create_position_ids_from_input_ids of
/// modeling_m2m_100.py).
/// </summary>
/// <param name="width">Width of a vector.</param>
/// <param name="padding">The padding token.</param>
/// <param name="device">Where the vectors are added.</param>
/// <param name="stored">The table's first rows where a checkpoint has them, or null.</param>
internal sealed class FairseqPositions(int width, int padding, Device device, Embedding? stored = null) : IDisposable
{
    private readonly EndlessPositions _table = new(width, padding, device, stored);
    private int[] _rows = new int[64];

    /// <exception cref="ModelConfigurationException">The configuration has no padding token, or vectors too short for sinusoids.</exception>
    public static void Check(ConfigurationSection root, BartConfiguration configuration, string widthKey = "d_model")
    {
        if (configuration.PaddingToken is null)
        {
            throw root.Refuse("pad_token_id", "null", "the id of a token: positions are counted from it");
        }

        if (configuration.ModelWidth < 4)
        {
            throw root.Refuse(widthKey, configuration.ModelWidth, "at least 4, so that positions have two wavelengths");
        }
    }

    /// <summary>Adds the positions of the lines' tokens.</summary>
    public void Add(SourceBatch source, Rows hidden)
    {
        Span<int> rows = Rows(source.Tokens);
        for (int line = 0; line < source.Lines; line++)
        {
            int next = padding + 1;
            for (int i = source.Starts[line]; i < source.Starts[line + 1]; i++)
            {
                rows[i] = source.TokenIds[i] == padding ? padding : next++;
            }
        }

        _table.Add(rows, hidden);
    }

    /// <summary>Adds the positions of the tokens that a step feeds: those before them all count.</summary>
    public void Add(DecoderBatch batch, Rows hidden)
    {
        Span<int> rows = Rows(batch.Count);
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = batch.TokenIds[i] == padding ? padding : padding + 1 + batch.Positions[i];
        }

        _table.Add(rows, hidden);
    }

    /// <summary>Adds the first position to each token that a step feeds.</summary>
    public void AddFirst(DecoderBatch batch, Rows hidden)
    {
        Span<int> rows = Rows(batch.Count);
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = batch.TokenIds[i] == padding ? padding : padding + 1;
        }

        _table.Add(rows, hidden);
    }

    public void Dispose() => _table.Dispose();

    private Span<int> Rows(int count)
    {
        if (count > _rows.Length)
        {
            _rows = new int[Math.Max(count, 2 * _rows.Length)];
        }

        return _rows.AsSpan(0, count);
    }
}
