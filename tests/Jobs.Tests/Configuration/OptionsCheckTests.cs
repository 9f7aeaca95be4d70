using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Jobs.Configuration.Tests;

public sealed class OptionsCheckTests
{
    [Fact]
    public void Defaults_with_one_model_are_right()
    {
        var check = () => Check(("Models:m:Folder", "models/m"));

        check.Should().NotThrow();
    }

    [Fact]
    public void Every_error_of_every_section_is_listed_at_once()
    {
        var check = () =>
            Check(
                ("Jobs:ShardLines", "0"),
                ("Jobs:Lease", "00:00:01"),
                ("Jobs:DrainTime", "00:30:00"),
                ("Models:m:Folder", ""),
                ("Models:m:ComputeType", "float12"),
                ("Models:m:Device", "tpu:0"),
                ("Models:m:CalibrationFile", "lines.txt"),
                ("Models:m:Fallback:0:Model", "absent"),
                ("Models:m:Fallback:1:Model", "m"),
                ("Models:m:Fallback:2:Device", "nowhere"),
                ("Slots:0:Device", "gpu"),
                ("Slots:1:Device", "cpu"),
                ("Slots:2:Device", "cpu"),
                ("Slots:2:Threads", "-1"),
                ("Slots:1:Models:0", "ghost")
            );

        var failures = check.Should().Throw<OptionsValidationException>().Which.Failures.ToList();
        string[] starts =
        [
            "Jobs:ShardLines is '0'",
            "Jobs:Lease is '00:00:01'; expected 00:00:03 to 01:00:00",
            "Jobs:DrainTime is '00:30:00'",
            "Models:m:Folder is ''",
            "Models:m:ComputeType is 'float12'; expected one of: auto, float32",
            "Models:m:Device is 'tpu:0'",
            "Models:m:CalibrationFile is set, but ComputeType is 'float12'",
            "Models:m:Fallback:0:Model is 'absent'; expected one of: m",
            "Models:m:Fallback:1:Model is 'm', the model itself",
            "Models:m:Fallback:2:Device is 'nowhere'",
            "Slots:0:Device is 'gpu'",
            "Slots:2:Threads is '-1'",
            "Slots:1:Models is 'ghost'; expected one of: m",
            "Slots: 'cpu' is there 2 times",
        ];
        failures.Should().HaveCount(starts.Length);
        starts
            .Should()
            .OnlyContain(start => failures.Exists(failure => failure.StartsWith(start, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Jobs:ShardLine")]
    [InlineData("Models:m:Foldr")]
    [InlineData("Slots:0:Thread")]
    public void A_misspelt_setting_is_an_error_that_names_it(string key)
    {
        var check = () => Check(("Models:m:Folder", "x"), ("Slots:0:Device", "cpu"), (key, "1"));

        string name = key[(key.LastIndexOf(':') + 1)..];
        check.Should().Throw<InvalidOperationException>().Which.ToString().Should().Contain($"'{name}'");
    }

    private static void Check(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
            .Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddJobs();
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<IStartupValidator>().Validate();
    }
}
