using System.Reflection;
using System.Text.RegularExpressions;
using Seq2Seq.Api.Hosting;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Api.Tests;

/// <summary>docs/configuration.md names every property of every options type, in the part about its section.</summary>
public sealed class ConfigurationPageTests
{
    private const string SectionConstant = "SectionName";

    public static TheoryData<Type> Sections =>
        [.. OptionsTypes().Where(type => type.GetField(SectionConstant) is not null)];

    [Theory]
    [MemberData(nameof(Sections))]
    public void Every_setting_is_described(Type options)
    {
        string section = (string)options.GetField(SectionConstant)!.GetValue(null)!;
        string part = PartAbout(section);

        IEnumerable<string> properties = options
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(IsSetting)
            .Select(property => property.Name);
        foreach (string property in properties)
        {
            part.Should().Contain($"| `{property}` |", $"{options.Name}.{property} is a setting");
        }
    }

    [Fact]
    public void The_page_describes_no_setting_that_is_not_there()
    {
        var known = OptionsTypes()
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            .Select(property => property.Name)
            .Append("Jobs")
            .ToHashSet(StringComparer.Ordinal);

        Regex
            .Matches(
                Page(),
                @"^\| `(?<name>\w+)` \|",
                RegexOptions.Multiline | RegexOptions.ExplicitCapture,
                TimeSpan.FromSeconds(1)
            )
            .Select(match => match.Groups["name"].Value)
            .Should()
            .BeSubsetOf(known);
    }

    // Anything that is set, or filled, by the configuration; what is only computed from it is not a setting.
    private static bool IsSetting(PropertyInfo property) =>
        property.CanWrite || (property.PropertyType != typeof(string) && property.PropertyType.IsGenericType);

    private static IEnumerable<Type> OptionsTypes() =>
        new[] { typeof(ServiceConfiguration).Assembly, typeof(JobsOptions).Assembly }
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type =>
                type.Name.EndsWith("Options", StringComparison.Ordinal)
                && (type.GetField(SectionConstant) is not null || type == typeof(FallbackOptions))
            );

    private static string PartAbout(string section)
    {
        string page = Page();
        int start = page.IndexOf($"\n## `{section}`\n", StringComparison.Ordinal);
        start.Should().BePositive($"the page has a part about {section}");
        int end = page.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
        return end < 0 ? page[start..] : page[start..end];
    }

    private static string Page() => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "configuration.md"));
}
