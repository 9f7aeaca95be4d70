using System.CommandLine;
using System.Text.Json.Nodes;

namespace Seq2Seq.Api.CommandLine;

/// <summary>Options for what the parameters say of the texts: short for members of <c>--parameters</c>.</summary>
internal sealed class TextOptions
{
    // By the names of the parameters.
    private readonly Dictionary<string, Option<string?>> _options = new(StringComparer.Ordinal)
    {
        ["src_lang"] = new Option<string?>("--src-lang")
        {
            Description = "Language of the sources, as the model spells it",
            HelpName = "CODE",
        },
        ["tgt_lang"] = new Option<string?>("--tgt-lang")
        {
            Description = "Language to answer in, as the model spells it",
            HelpName = "CODE",
        },
        ["long_lines"] = new Option<string?>("--long-lines")
        {
            Description = "What becomes of lines that are too long for the model [default: error]",
        },
    };

    public TextOptions() => _options["long_lines"].AcceptOnlyFromAmong("error", "truncate", "split");

    public void AddTo(Command command)
    {
        foreach (Option option in _options.Values)
        {
            command.Options.Add(option);
        }
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="parameters">JSON of <c>--parameters</c>, or null.</param>
    /// <returns>The parameters with what the options say.</returns>
    /// <exception cref="CommandException">Both say something, or there is no object to add to.</exception>
    public string? Merge(ParseResult parsed, string? parameters)
    {
        KeyValuePair<string, string?>[] given =
        [
            .. _options
                .Select(option => KeyValuePair.Create(option.Key, parsed.GetValue(option.Value)))
                .Where(option => option.Value is not null),
        ];
        if (given.Length == 0)
        {
            return parameters;
        }

        if ((parameters is null ? new JsonObject() : JsonNode.Parse(parameters)) is not JsonObject merged)
        {
            throw new CommandException("--parameters: expected a JSON object.") { Code = ExitCode.Usage };
        }

        foreach ((string name, string? value) in given)
        {
            if (!merged.TryAdd(name, JsonValue.Create(value)))
            {
                throw new CommandException($"{_options[name].Name} and --parameters both have {name}.")
                {
                    Code = ExitCode.Usage,
                };
            }
        }

        return merged.ToJsonString();
    }
}
