using CsCheck;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Tests.Weights;

public sealed class SafetensorsReaderTests : IDisposable
{
    private readonly ModelFolderFixture _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_keep_name_type_shape_and_place()
    {
        WeightsFile file = Open(
            Safetensors.Write([
                ("é", "BF16", [2], [1, 2, 3, 4]),
                ("none", "I64", [0, 7], []),
                ("one", "F64", [], new byte[8]),
            ])
        );

        file.Tensors.Select(tensor => (tensor.Name, tensor.Type.Name, tensor.ElementCount, tensor.Offset))
            .Should()
            .Equal(("é", "BF16", 2, 0), ("none", "I64", 0, 4), ("one", "F64", 1, 4));
    }

    [Fact]
    public void Mutated_files_are_read_or_refused_and_never_beyond_their_bytes()
    {
        byte[] file = Safetensors.Write(("a", [2, 3], new float[6]), ("b.weight", [4], new float[4]));
        Gen.Select(Gen.Int[0, 200], Gen.OneOf(Gen.Byte, Gen.Char["0123456789[]{},:\"-"].Select(c => (byte)c)))
            .Array[1, 5]
            .Sample(
                mutations =>
                {
                    byte[] mutated = [.. file];
                    foreach ((int index, byte value) in mutations)
                    {
                        mutated[index % mutated.Length] = value;
                    }

                    try
                    {
                        using WeightsFile opened = Open(mutated);
                        foreach (StoredTensor tensor in opened.Tensors)
                        {
                            float[] values = new float[tensor.ElementCount];
                            if (tensor.Type.IsReadable)
                            {
                                StoredTensorReader.Read(tensor, 0, values, crc: null);
                            }
                        }
                    }
                    catch (LoadRefusedException refusal)
                    {
                        refusal.Message.Should().Contain("model.safetensors");
                    }
                },
                iter: 1000,
                threads: 1
            );
    }

    private WeightsFile Open(byte[] bytes)
    {
        _folder.Write("model.safetensors", bytes);
        return WeightsFile.Open(Path.Join(_folder.Folder, "model.safetensors"), "model.safetensors");
    }
}
