using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Execution.Tests;

public sealed class ModelPreloaderTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const string Refused = "tensor 'lm_head.weight' is missing";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_that_loads_leaves_its_report_and_what_it_measured()
    {
        await using var worker = Create(new TestModel(), new TestModel());

        var loaded = await PreloadAsync(worker);

        loaded.ServedBy.Should().Be("main");
        loaded.LinesPerSecond.Should().BePositive();
        (await OutcomeAsync(loaded.LoadId)).Should().Be("loaded main main");
    }

    [Fact]
    public async Task A_refused_model_keeps_its_first_error_as_the_cause_and_leaves_its_report()
    {
        var main = new TestModel
        {
            BeforeLoad = (options, _) => throw TestModel.Refusal(options, "weights_missing", Refused),
        };
        await using var worker = Create(main, new TestModel());

        var load = () => PreloadAsync(worker);

        var refusal = (await load.Should().ThrowAsync<RefusedModelException>()).Which;
        refusal.Refusal.Code.Should().Be("weights_missing");
        refusal.Refusal.Message.Should().Contain(Refused);
        refusal.Refusal.InnerException.Should().BeOfType<InvalidDataException>();
        (await OutcomeAsync(refusal.LoadId)).Should().Be("refused main main");
    }

    [Fact]
    public async Task The_policy_is_followed_step_by_step_and_the_report_names_each_try()
    {
        List<string> tried = [];
        var main = new TestModel
        {
            BeforeLoad = (options, _) =>
            {
                tried.Add($"{options.Device} {options.ComputeType}");
                throw TestModel.Refusal(options, "out_of_memory", "no memory");
            },
        };
        await using var worker = Create(
            main,
            new TestModel(),
            ("Models:main:ComputeType", "float32"),
            ("Models:main:Fallback:0:ComputeType", "int8"),
            ("Models:main:Fallback:1:Device", "cpu"),
            ("Models:main:Fallback:2:Model", "spare")
        );

        var loaded = await PreloadAsync(worker);

        tried.Should().Equal("cpu:0 float32", "cpu:0 int8", "cpu float32");
        loaded.Name.Should().Be("main");
        loaded.ServedBy.Should().Be("spare");
        loaded.Model.Report.Model.Should().Be("main");
        loaded
            .Model.Report.Tries.Select(one => one.Target)
            .Should()
            .Equal(
                "model.safetensors",
                "main on cpu:0 as int8: model.safetensors",
                "main on cpu as float32: model.safetensors",
                "spare on cpu:0 as float32: model.safetensors"
            );
        (await OutcomeAsync(loaded.LoadId)).Should().Be("loaded main spare");
    }

    [Fact]
    public async Task An_error_that_loading_does_not_know_is_a_refusal_too()
    {
        var main = new TestModel { BeforeLoad = (_, _) => throw new IOException("too large") };
        await using var worker = Create(main, new TestModel());

        var load = () => PreloadAsync(worker);

        var refusal = (await load.Should().ThrowAsync<RefusedModelException>()).Which.Refusal;
        refusal.Code.Should().Be(ModelPreloader.UnexpectedCode);
        refusal.Message.Should().Contain("too large");
    }

    [Fact]
    public async Task A_model_that_loads_but_can_not_generate_is_refused_and_freed()
    {
        var main = new TestModel { BeforeProbe = () => throw new InvalidOperationException("kernel missing") };
        await using var worker = Create(main, new TestModel());

        var load = () => PreloadAsync(worker);

        var refusal = (await load.Should().ThrowAsync<RefusedModelException>()).Which.Refusal;
        refusal.Code.Should().Be(ModelPreloader.ProbeCode);
        main.Disposed.Should().Be(1);
    }

    private TestWorker Create(TestModel main, TestModel spare, params (string, string)[] settings) =>
        TestWorker.Create(
            database,
            new Dictionary<string, TestModel>(StringComparer.Ordinal) { ["main"] = main, ["spare"] = spare },
            settings
        );

    private static Task<PreloadedModel> PreloadAsync(TestWorker worker) =>
        worker.Get<ModelPreloader>().PreloadAsync("main", worker.Get<LocalSlots>().All[0].Plan, Cancellation);

    private Task<string> OutcomeAsync(long load) =>
        database.ScalarAsync<string>(
            "SELECT outcome || ' ' || model || ' ' || served_by FROM model_load WHERE id = $1",
            load
        );
}
