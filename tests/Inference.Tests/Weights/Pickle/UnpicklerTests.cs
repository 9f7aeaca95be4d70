using System.Numerics;
using System.Text;
using CsCheck;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights.Pickle;

namespace Seq2Seq.Inference.Tests.Weights.Pickle;

public sealed class UnpicklerTests
{
    private static object? Load(byte[] pickle) =>
        new Unpickler(new PickleInput(new MemoryBytes(pickle), 0, "file.bin")).Load();

    private static object? Load(string latin1) => Load(Encoding.Latin1.GetBytes(latin1));

    // What pickle.dumps(value, protocol) gives in CPython 3.11, by protocol.
    [Theory]
    [InlineData("(lp0\nI1\naI01\naNa.")]
    [InlineData("]q\0(K\u0001I01\nNe.")]
    [InlineData("\u0080\u0002]q\0(K\u0001\u0088Ne.")]
    [InlineData("\u0080\u0004\u0095\u0009\0\0\0\0\0\0\0]\u0094(K\u0001\u0088Ne.")]
    [InlineData("\u0080\u0005\u0095\u0009\0\0\0\0\0\0\0]\u0094(K\u0001\u0088Ne.")]
    public void A_list_reads_alike_in_every_protocol(string pickle) =>
        Load(pickle).Should().BeOfType<PickleList>().Which.Items.Should().Equal(1L, true, null);

    [Theory]
    [InlineData("I42\n.", 42L)]
    [InlineData("L-42L\n.", -42L)]
    [InlineData("J\u00fe\u00ff\u00ff\u00ff.", -2L)]
    [InlineData("M\u00e9\u0003.", 1001L)]
    [InlineData("\u008a\u0002\u0000\u0080.", -32768L)]
    [InlineData("\u008a\0.", 0L)]
    [InlineData("F1.5\n.", 1.5)]
    [InlineData("G?\u00f8\0\0\0\0\0\0.", 1.5)]
    [InlineData("S'ab'\n.", "ab")]
    [InlineData("Va\\u00e9\n.", "aé")]
    [InlineData("X\u0002\0\0\0\u00c3\u00a9.", "é")]
    [InlineData("\u008c\u0001a.", "a")]
    [InlineData("K\u0001K\u0002200.", 1L)]
    public void Scalars_read_as_they_are(string pickle, object expected) => Load(pickle).Should().Be(expected);

    [Fact]
    public void A_whole_number_beyond_64_bits_keeps_its_value() =>
        Load("\u008a\u000al\u00fc\u009cF\u00f9 j\u00a8P\u0019.")
            .Should()
            .Be(BigInteger.Parse("119547037146038801333356", System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("cposix\nsystem\n.", "posix.system")]
    [InlineData("\u008c\u0005posix\u008c\u0006system\u0093.", "posix.system")]
    [InlineData("(S'x'\niposix\nsystem\n.", "posix.system")]
    [InlineData("(cos\nsystem\nS'x'\no.", "os.system")]
    [InlineData("ctorch.serialization\nload\n.", "torch.serialization.load")]
    [InlineData("c__builtin__\neval\n.", "__builtin__.eval")]
    [InlineData("Pabc\n.", "PERSID")]
    [InlineData("\u0082\u0001.", "EXT")]
    [InlineData("]N}b.", "BUILD")]
    [InlineData("}N)R.", "not a known function")]
    public void What_could_execute_is_refused_by_name(string pickle, string expected)
    {
        LoadRefusedException refusal = Refusal(Encoding.Latin1.GetBytes(pickle));

        refusal.Code.Should().Be(LoadCodes.WeightsUnsafe);
        refusal.Message.Should().Contain(expected);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("0.")]
    [InlineData("(0.")]
    [InlineData("e.")]
    [InlineData("}(K\u0001u.")]
    [InlineData("]K\u0001K\u0002s.")]
    [InlineData("h\u0000.")]
    [InlineData("X\u00ff\u00ff\u00ff\u00ff.")]
    [InlineData("\u008e\0\0\0\0\0\0\0\u0010.")]
    [InlineData("\u008b\u00ff\u00ff\u00ff\u007f.")]
    [InlineData("\u0080\u0063N.")]
    [InlineData("Ix\n.")]
    public void Malformed_pickles_are_refused_with_the_offset(string pickle)
    {
        LoadRefusedException refusal = Refusal(Encoding.Latin1.GetBytes(pickle));

        refusal.Code.Should().Be(LoadCodes.WeightsCorrupt);
        refusal.Message.Should().MatchRegex("pickle, byte [0-9]+:");
    }

    [Theory]
    [InlineData("]")]
    [InlineData("(")]
    [InlineData("N0")]
    [InlineData("]\u0094")]
    public void Thirty_megabytes_of_one_opcode_end_in_a_refusal_at_once(string opcode)
    {
        byte[] pickle = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(opcode, (30 << 20) / opcode.Length)));
        long before = GC.GetAllocatedBytesForCurrentThread();

        Refusal(pickle).Message.Should().Contain("objects");

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(300 << 20);
    }

    [Theory]
    [InlineData("a shape of many dimensions", "at most 64 whole numbers")]
    [InlineData("a dict of the same list again and again", "something other than pairs")]
    public void What_is_made_once_and_used_often_costs_its_size_once(string what, string expected)
    {
        const int Size = 400_000;
        string large = $"({string.Concat(Enumerable.Repeat("K\u0001", Size))}tq\0";
        string pickle = what.StartsWith("a shape", StringComparison.Ordinal)
            ? large
                + "(X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0001tQq\u0001"
                + "ctorch._utils\n_rebuild_tensor\n(h\u0001K\0h\0h\0tR."
            : $"({string.Concat(Enumerable.Repeat("K\u0001", Size))}lq\0"
                + $"ccollections\nOrderedDict\n(({string.Concat(Enumerable.Repeat("h\0", 1000))}ltR.";

        Refusal(Encoding.Latin1.GetBytes(pickle)).Message.Should().Contain(expected);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused() =>
        Gen
            .Byte.Array[0, 60]
            .Sample(
                bytes =>
                {
                    try
                    {
                        Load(bytes);
                    }
                    catch (LoadRefusedException)
                    {
                        // Refused, as it should be.
                    }
                },
                iter: 20_000
            );

    private static LoadRefusedException Refusal(byte[] pickle) =>
        ((Action)(() => Load(pickle))).Should().Throw<LoadRefusedException>().Which;
}
