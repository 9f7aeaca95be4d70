using System.IO.Compression;
using CsCheck;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Tests.Weights.Torch;

public sealed class TorchCheckpointTests : IDisposable
{
    private static readonly (string, long[], float[])[] Tensors =
    [
        ("matrix", [2, 3], [1, 2, 3, 4, 5, 6]),
        ("scalar", [], [7]),
        ("none", [0, 4], []),
    ];

    private readonly ModelFolderFixture _folder = new();

    public static TheoryData<string> Formats => ["stored zip", "deflated zip", "legacy stream"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_form_of_torch_save_gives_the_same_tensors(string format)
    {
        using WeightsFile file = Open(Write(format));

        file.Tensors.Select(tensor => tensor.Name).Should().Equal("matrix", "scalar", "none");
        file.Tensors[0].Shape.Should().Equal(2, 3);
        Read(file.Tensors[0]).Should().Equal(1, 2, 3, 4, 5, 6);
        Read(file.Tensors[1]).Should().Equal(7);
    }

    [Fact]
    public void A_file_of_torch_itself_is_read_parameters_views_and_types_of_today_included()
    {
        string path = Path.Join(AppContext.BaseDirectory, "Data", "torch", "torch-2.13.bin");
        using WeightsFile file = WeightsFile.Open(path, "pytorch_model.bin");

        file.Tensors.Select(tensor => $"{tensor.Name} {tensor.Type.Name} {TensorShape.Print(tensor.Shape)}")
            .Should()
            .Equal("weight F32 [2, 3]", "half F16 [3]", "transposed F32 [3, 2]", "float8 F8_E4M3 [2]", "steps I64 []");
        Read(file.Tensors[0]).Should().Equal(0, 1, 2, 3, 4, 5);
        Read(file.Tensors[1]).Should().Equal(0, 1, 2);
        Read(file.Tensors[2]).Should().Equal(0, 3, 1, 4, 2, 5);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Mutated_files_are_read_or_refused(string format)
    {
        byte[] file = Write(format);
        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte)
            .Array[1, 4]
            .Sample(
                mutations =>
                {
                    byte[] mutated = [.. file];
                    foreach ((int index, byte value) in mutations)
                    {
                        mutated[index] = value;
                    }

                    try
                    {
                        using WeightsFile opened = Open(mutated);
                        foreach (StoredTensor tensor in opened.Tensors)
                        {
                            _ = tensor.Type.IsReadable ? Read(tensor) : [];
                        }
                    }
                    catch (LoadRefusedException refusal)
                    {
                        refusal.Message.Should().Contain("pytorch_model.bin");
                    }
                },
                iter: 1000,
                threads: 1
            );
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_file_cut_anywhere_is_refused(string format)
    {
        byte[] file = Write(format);
        for (int length = 0; length < file.Length; length += 3)
        {
            ((Action)(() => Open(file[..length]).Dispose())).Should().Throw<LoadRefusedException>();
        }
    }

    private static byte[] Write(string format) =>
        format switch
        {
            "stored zip" => TorchCheckpoint.Zip(Tensors),
            "deflated zip" => TorchCheckpoint.Zip(CompressionLevel.Optimal, Tensors),
            _ => TorchCheckpoint.Legacy(Tensors),
        };

    private static float[] Read(StoredTensor tensor)
    {
        float[] values = new float[tensor.ElementCount];
        StoredTensorReader.Read(tensor, 0, values, crc: null);
        return values;
    }

    private WeightsFile Open(byte[] bytes)
    {
        _folder.Write("pytorch_model.bin", bytes);
        return WeightsFile.Open(Path.Join(_folder.Folder, "pytorch_model.bin"), "pytorch_model.bin");
    }
}
