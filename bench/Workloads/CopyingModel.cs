using System.Text.Json;
using Seq2Seq.Inference.Tests.Weights;

namespace Seq2Seq.Bench.Workloads;

/// <summary>
/// A model that copies its source and replaces one piece in eleven, as those that correct or normalise text do: a BART of
/// t5-small's sizes whose weights are set rather than learned. Half of its width holds codes of tokens, half codes of positions. All layers but
/// the decoder's last add nothing to what goes through them, with all their arithmetic; there the cross-attention looks for the
/// source's token of the output's position, and brings the code of what is to be written for it.
/// </summary>
internal static class CopyingModel
{
    private const int Vocabulary = 32128;
    private const int Width = 512;
    private const int CodeWidth = Width / 2;
    private const int FeedForwardWidth = 2048;
    private const int Layers = 6;
    private const int Heads = 8;
    private const int HeadWidth = Width / Heads;
    private const int Positions = 256;

    /// <summary>BART's first position stands at this row.</summary>
    private const int FirstPosition = 2;

    /// <summary>Padding, end and unknown are as they are.</summary>
    private const int FirstReplaced = 3;
    private const int Replaced = 11;

    /// <summary>Makes the look-up as good as certain, and what it brings outweigh the token before.</summary>
    private const float Sharpness = 4;

    /// <summary>Writes the model beside its tokenizer's files.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="pieces">Pieces that the tokenizer has.</param>
    public static void Write(string folder, int pieces)
    {
        Random random = new(11);
        float[][] codes = [.. Enumerable.Range(0, Vocabulary).Select(_ => Code(random))];
        float[] tokens = Table(codes, first: 0);
        float[] positions = Table(
            [.. Enumerable.Range(0, Positions + FirstPosition).Select(_ => Code(random))],
            CodeWidth
        );
        List<(string Name, long[] Shape, float[] Values)> tensors =
        [
            ("model.shared.weight", [Vocabulary, Width], tokens),
            ("final_logits_bias", [1, Vocabulary], new float[Vocabulary]),
        ];
        foreach (string stack in new[] { "encoder", "decoder" })
        {
            string prefix = $"model.{stack}.";
            tensors.Add((prefix + "embed_positions.weight", [Positions + FirstPosition, Width], positions));
            tensors.AddRange(Norm(prefix + "layernorm_embedding"));
            for (int layer = 0; layer < Layers; layer++)
            {
                string name = $"{prefix}layers.{layer}.";
                tensors.AddRange(Attention(random, name + "self_attn"));
                if (stack == "decoder")
                {
                    tensors.AddRange(
                        layer == Layers - 1
                            ? Copying(random, name + "encoder_attn", codes[..pieces])
                            : Attention(random, name + "encoder_attn")
                    );
                }

                tensors.AddRange(FeedForward(random, name));
            }
        }

        using FileStream file = File.Create(Path.Combine(folder, "model.safetensors"));
        file.Write(Safetensors.Write(tensors));
        File.WriteAllText(Path.Combine(folder, "config.json"), Configuration());
    }

    private static string Configuration() =>
        JsonSerializer.Serialize(
            new
            {
                model_type = "bart",
                is_encoder_decoder = true,
                vocab_size = Vocabulary,
                d_model = Width,
                encoder_layers = Layers,
                decoder_layers = Layers,
                encoder_attention_heads = Heads,
                decoder_attention_heads = Heads,
                encoder_ffn_dim = FeedForwardWidth,
                decoder_ffn_dim = FeedForwardWidth,
                max_position_embeddings = Positions,
                activation_function = "gelu",
                scale_embedding = false,
                pad_token_id = 0,
                bos_token_id = 0,
                eos_token_id = 1,
                decoder_start_token_id = 0,
                forced_eos_token_id = (int?)null,
                tie_word_embeddings = true,
            }
        );

    /// <summary>As many +1 as -1: of mean 0 and variance 1, so that a norm leaves it as it is; two are all but at right angles.</summary>
    private static float[] Code(Random random)
    {
        float[] code = new float[CodeWidth];
        Array.Fill(code, -1);
        code.AsSpan(0, CodeWidth / 2).Fill(1);
        random.Shuffle(code);
        return code;
    }

    private static float[] Table(float[][] codes, int first)
    {
        float[] table = new float[codes.Length * Width];
        for (int row = 0; row < codes.Length; row++)
        {
            codes[row].CopyTo(table.AsSpan((row * Width) + first));
        }

        return table;
    }

    private static IEnumerable<(string, long[], float[])> Norm(string name)
    {
        float[] ones = new float[Width];
        Array.Fill(ones, 1);
        return [(name + ".weight", [Width], ones), (name + ".bias", [Width], new float[Width])];
    }

    /// <summary>Attention whose output counts for nothing.</summary>
    private static IEnumerable<(string, long[], float[])> Attention(Random random, string name) =>
        [
            .. Linear(name + ".q_proj", Width, Drawn(random, Width, Width)),
            .. Linear(name + ".k_proj", Width, Drawn(random, Width, Width)),
            .. Linear(name + ".v_proj", Width, Drawn(random, Width, Width)),
            .. Linear(name + ".out_proj", Width, new float[Width * Width]),
            .. Norm(name + "_layer_norm"),
        ];

    private static IEnumerable<(string, long[], float[])> FeedForward(Random random, string name) =>
        [
            .. Linear(name + "fc1", FeedForwardWidth, Drawn(random, FeedForwardWidth, Width)),
            .. Linear(name + "fc2", Width, new float[Width * FeedForwardWidth]),
            .. Norm(name + "final_layer_norm"),
        ];

    /// <summary>Each head looks with a quarter of the position's code; the first four bring a quarter of a token's each.</summary>
    private static IEnumerable<(string, long[], float[])> Copying(Random random, string name, float[][] codes)
    {
        float[] query = new float[Width * Width];
        float[] key = new float[Width * Width];
        float[] value = Drawn(random, Width, Width);
        float[] output = new float[Width * Width];
        float[,] written = Written(codes);
        for (int i = 0; i < Width; i++)
        {
            int position = CodeWidth + (i % CodeWidth);
            query[(i * Width) + position] = Sharpness;
            key[(i * Width) + position] = 1;
            if (i < CodeWidth)
            {
                output[(i * Width) + i] = Sharpness;
                for (int j = 0; j < Width; j++)
                {
                    value[(i * Width) + j] = j < CodeWidth ? written[i, j] : 0;
                }
            }
        }

        return
        [
            .. Linear(name + ".q_proj", Width, query),
            .. Linear(name + ".k_proj", Width, key),
            .. Linear(name + ".v_proj", Width, value),
            .. Linear(name + ".out_proj", Width, output),
            .. Norm(name + "_layer_norm"),
        ];
    }

    /// <summary>Turns the code of a piece into that of the piece to be written for it.</summary>
    private static float[,] Written(float[][] codes)
    {
        float[,] written = new float[CodeWidth, CodeWidth];
        for (int piece = 0; piece < codes.Length; piece++)
        {
            bool isReplaced = piece >= FirstReplaced && piece % Replaced == 0 && piece + 1 < codes.Length;
            float[] to = codes[isReplaced ? piece + 1 : piece];
            for (int i = 0; i < CodeWidth; i++)
            {
                for (int j = 0; j < CodeWidth; j++)
                {
                    written[i, j] += to[i] * codes[piece][j] / CodeWidth;
                }
            }
        }

        return written;
    }

    private static IEnumerable<(string, long[], float[])> Linear(string name, int outputs, float[] weight) =>
        [
            (name + ".weight", [outputs, weight.Length / outputs], weight),
            (name + ".bias", [outputs], new float[outputs]),
        ];

    private static float[] Drawn(Random random, int outputs, int inputs)
    {
        float[] values = new float[outputs * inputs];
        float scale = MathF.Sqrt(3f / inputs);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = scale * ((2 * random.NextSingle()) - 1);
        }

        return values;
    }
}
