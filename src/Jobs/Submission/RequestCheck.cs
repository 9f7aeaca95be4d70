using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Webhooks;

namespace Seq2Seq.Jobs.Submission;

/// <summary>Checks a request before its lines are read: ranges, and that some process holds the model.</summary>
internal sealed class RequestCheck(
    NpgsqlDataSource dataSource,
    IOptions<ModelsOptions> models,
    WebhookCheck webhooks,
    TimeProvider time
)
{
    private const int MaxNameLength = 200;
    private const int MaxKeyLength = 255;

    // The API may run apart from the workers and know no model itself: what workers hold counts, too.
    private const string ModelsOfWorkers = "SELECT DISTINCT model FROM slot_model ORDER BY model";

    // Another model may serve it where the policy fell back: the languages are that one's.
    private const string ReportOfModel = """
        SELECT model_load.report::text
        FROM slot_model
        JOIN model_load ON model_load.id = slot_model.load_id
        WHERE slot_model.model = $1 AND slot_model.state = 'ready'
        ORDER BY model_load.id DESC
        LIMIT 1
        """;

    /// <returns>The request, with the model's name as it is configured.</returns>
    /// <exception cref="SubmissionException">Names the field.</exception>
    public async Task<JobRequest> CheckAsync(JobRequest request, CancellationToken cancellationToken)
    {
        CheckText("name", request.Name, minLength: 0, MaxNameLength);
        CheckText("idempotency_key", request.IdempotencyKey, minLength: 1, MaxKeyLength);
        if (request.Priority is < JobRequest.FirstPriority or > JobRequest.LastPriority)
        {
            throw Invalid(
                "priority",
                $"priority is {request.Priority}; expected {JobRequest.FirstPriority} (first) to {JobRequest.LastPriority} (last)."
            );
        }

        if (request.Retention is { } retention && (retention <= TimeSpan.Zero || retention > JobsOptions.MaxRetention))
        {
            throw Invalid(
                "retention",
                $"retention is {retention}; expected more than nothing and at most {JobsOptions.MaxRetention.TotalDays:0} days."
            );
        }

        var earliest = request.StartAt is { } start && start > time.GetUtcNow() ? start : time.GetUtcNow();
        if (request.Deadline is { } deadline && deadline <= earliest)
        {
            throw Invalid(
                "deadline",
                $"deadline is {deadline:O}; expected a time after the job's start, {earliest:O}."
            );
        }

        CheckParameters(GenerationParametersCheck.Validate, request.Parameters);
        string model = await FindModelAsync(request.Model, cancellationToken);
        await CheckLanguagesAsync(model, request.Parameters, cancellationToken);
        return request with
        {
            Model = model,
            Webhook = request.Webhook is null ? null : webhooks.Check(request.Webhook),
        };
    }

    private async Task<string> FindModelAsync(string name, CancellationToken cancellationToken)
    {
        string? configured = Match(models.Value.Keys, name);
        if (configured is not null)
        {
            return configured;
        }

        var held = await ReadModelsOfWorkersAsync(cancellationToken);
        var known = models.Value.Keys.Union(held, StringComparer.OrdinalIgnoreCase);
        return Match(held, name)
            ?? throw new SubmissionException(
                SubmissionCodes.ModelUnknown,
                "model",
                $"There is no model '{name}'; there is: {string.Join(", ", known)}."
            );
    }

    /// <summary>
    /// What a worker says of the model's languages, while one holds it. Where none does, the job waits, and fails by the same
    /// words when it is run.
    /// </summary>
    private async Task CheckLanguagesAsync(
        string model,
        GenerationParameters parameters,
        CancellationToken cancellationToken
    )
    {
        if (parameters is { SourceLanguage: null, TargetLanguage: null })
        {
            return;
        }

        await using var command = dataSource.CreateCommand(ReportOfModel);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = model });
        if (
            await command.ExecuteScalarAsync(cancellationToken) is string report
            && LoadReportJson.Read(report).Languages is { } languages
        )
        {
            CheckParameters(languages.Check, parameters);
        }
    }

    private async Task<List<string>> ReadModelsOfWorkersAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(ModelsOfWorkers);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<string> names = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    private static string? Match(IEnumerable<string> names, string name) =>
        names.FirstOrDefault(known => string.Equals(known, name, StringComparison.OrdinalIgnoreCase));

    private static void CheckParameters(Action<GenerationParameters> check, GenerationParameters parameters)
    {
        try
        {
            check(parameters);
        }
        catch (GenerationParametersException exception)
        {
            throw new SubmissionException(
                SubmissionCodes.ParameterInvalid,
                $"parameters.{exception.Parameter}",
                exception.Message
            )
            {
                Found = exception.Found,
                Expected = exception.Expected,
            };
        }
    }

    private static void CheckText(string field, string? text, int minLength, int maxLength)
    {
        if (text is not null && (text.Length < minLength || text.Length > maxLength))
        {
            throw Invalid(field, $"{field} has {text.Length} characters; expected {minLength} to {maxLength}.");
        }

        // PostgreSQL's text takes no NUL and no half of a surrogate pair (which enumerates as the replacement character), and
        // a name with line breaks would break lists.
        if (text is not null && text.EnumerateRunes().Any(rune => Rune.IsControl(rune) || rune == Rune.ReplacementChar))
        {
            throw Invalid(field, $"{field} has control characters or broken text.");
        }
    }

    private static SubmissionException Invalid(string field, string message) =>
        new(SubmissionCodes.FieldInvalid, field, message);
}
