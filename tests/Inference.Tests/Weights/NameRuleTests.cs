using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Tests.Weights;

public sealed class NameRuleTests
{
    private const string Parameter = "model.encoder.layers.0.fc1.weight";

    [Theory]
    [InlineData("module.model.encoder.layers.0.fc1.weight", "module.", "")]
    [InlineData("_orig_mod.module.model.encoder.layers.0.fc1.weight", "_orig_mod.module.", "")]
    [InlineData("encoder.layers.0.fc1.weight", "", "model.")]
    [InlineData("module.encoder.layers.0.fc1.weight", "module.", "model.")]
    [InlineData("student.model.encoder.layers.0.fc1.weight", "student.", "")]
    public void A_prefix_is_found_from_one_name(string stored, string storedPrefix, string parameterPrefix)
    {
        IReadOnlyList<NameRule> rules = NameRule.Discover([stored], [Parameter]);

        rules.Should().Equal(new NameRule(storedPrefix, parameterPrefix));
        rules[0].StoredName(Parameter).Should().Be(stored);
    }

    [Fact]
    public void An_unknown_prefix_before_half_of_the_names_is_not_stripped() =>
        NameRule
            .Discover(["model.shared.weight", "student.model.encoder.layers.0.fc1.weight"], [Parameter])
            .Should()
            .BeEmpty();

    [Fact]
    public void Layer_norms_of_old_are_found_as_gamma_and_beta()
    {
        NameRule rule = NameRule
            .Discover(["encoder.norm.gamma", "encoder.norm.beta"], ["encoder.norm.weight"])
            .Single();

        rule.StoredName("encoder.norm.weight").Should().Be("encoder.norm.gamma");
        rule.StoredName("encoder.norm.bias").Should().Be("encoder.norm.beta");
    }

    [Fact]
    public void Other_names_tell_nothing() => NameRule.Discover(["decoder.out.bias"], [Parameter]).Should().BeEmpty();
}
