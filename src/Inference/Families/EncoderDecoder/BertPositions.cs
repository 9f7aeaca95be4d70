using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// Rows of the position table: BERT counts from 0; RoBERTa from behind its padding token, which has a position of its own
/// wherever it stands (<c>create_position_ids_from_input_ids</c> of transformers).
/// </summary>
internal static class BertPositions
{
    /// <summary>Of a source's tokens: padding among them does not count.</summary>
    public static int[] Of(SourceBatch source, BertConfiguration configuration)
    {
        if (configuration.PaddingPosition is not { } padding)
        {
            return source.Positions;
        }

        int[] positions = new int[source.Tokens];
        for (int line = 0; line < source.Lines; line++)
        {
            int next = configuration.FirstPosition;
            for (int i = source.Starts[line]; i < source.Starts[line + 1]; i++)
            {
                positions[i] = source.TokenIds[i] == padding ? padding : next++;
            }
        }

        return positions;
    }

    /// <summary>Of the tokens that a step feeds: each is counted by the number of tokens before it.</summary>
    public static void Of(DecoderBatch batch, BertConfiguration configuration, Span<int> positions)
    {
        for (int row = 0; row < batch.Count; row++)
        {
            positions[row] =
                batch.TokenIds[row] == configuration.PaddingPosition
                    ? batch.TokenIds[row]
                    : batch.Positions[row] + configuration.FirstPosition;
        }
    }
}
