using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights.Pickle;
using Seq2Seq.Inference.Weights.Torch;

namespace Seq2Seq.Inference.Tests.Weights.Torch;

public sealed class StateDictTests
{
    private static readonly PickleTensor Tensor = new(
        new PickleStorage(PickleAllowList.Find("torch", "FloatStorage")!, "0", 1, 0),
        0,
        [1],
        [1]
    );

    [Fact]
    public void A_dict_of_tensors_is_taken_as_it_is_and_what_is_no_tensor_is_passed_over() =>
        StateDict
            .Find(Dict(("epoch", 3L), ("a", Tensor), ("b", Tensor)), "file.bin")
            .Select(item => item.Name)
            .Should()
            .Equal("a", "b");

    [Fact]
    public void A_wrapped_dict_is_found_and_the_optimizer_beside_it_is_not_taken()
    {
        PickleDict optimizer = Dict(("state", Dict(("exp_avg", Tensor))));

        IReadOnlyList<(string Name, PickleTensor)> found = StateDict.Find(
            Dict(("optimizer", optimizer), ("model", Dict(("state_dict", Dict(("a", Tensor)))))),
            "file.bin"
        );

        found.Should().ContainSingle().Which.Name.Should().Be("a");
    }

    [Fact]
    public void A_name_that_stands_twice_is_refused()
    {
        Action find = () => StateDict.Find(Dict(("a", Tensor), ("a", Tensor)), "file.bin");

        find.Should().Throw<LoadRefusedException>().WithMessage("*'a' again*");
    }

    [Fact]
    public void A_dict_that_holds_itself_is_refused()
    {
        PickleDict dict = Dict(("model", null));
        dict.Items[0] = ("model", dict);
        Action find = () => StateDict.Find(dict, "file.bin");

        find.Should().Throw<LoadRefusedException>().WithMessage("*a dict without tensors*");
    }

    private static PickleDict Dict(params IReadOnlyList<(object? Key, object? Value)> items)
    {
        var dict = new PickleDict();
        dict.Items.AddRange(items);
        return dict;
    }
}
