using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Aborts.Record;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests;

/// <summary>The document is what operators build alerts on, so it has to name what the code does, all of it and nothing else.</summary>
public sealed partial class TelemetryDocumentTests
{
    [Fact]
    public void Events_DocumentAndCode_AreTheSame()
    {
        var documented = EventRow().Matches(Document())
            .Select(row => (int.Parse(row.Groups["id"].Value, CultureInfo.InvariantCulture), row.Groups["name"].Value, row.Groups["level"].Value));
        var inCode = typeof(ClientAbortOptions).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .Select(message => (message.EventId, message.EventName!, message.Level.ToString()));

        Assert.Equal(inCode.Order(), documented.Order());
    }

    [Fact]
    public async Task Instruments_OfAborts_AreDocumentedWithTheirKindAndUnit()
    {
        await using var app = WebApplication.CreateBuilder().Build();
        app.UseClientAbortTolerance();
        using var measurements = new Measurements(app);
        var instruments = measurements.Instruments
            .Where(instrument => instrument.Meter.Name == "ResilientHosting")
            .Select(instrument => $"| `{instrument.Name}` | {KindOf(instrument)} | `{instrument.Unit}` |")
            .Order(StringComparer.Ordinal);

        var section = Document().Split("\n## Client aborts")[1].Split("\n## ")[0];
        Assert.Equal(instruments, InstrumentRow().Matches(section).Select(row => row.Value).Order(StringComparer.Ordinal));
    }

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0];

    private static string Document() => File.ReadAllText(Repository.PathOf("docs", "telemetry.md"));

    [GeneratedRegex(@"^\| (?<id>\d{4}) \| `(?<name>\w+)` \| (?<level>\w+) \|", RegexOptions.Multiline)]
    private static partial Regex EventRow();

    [GeneratedRegex(@"^\| `resilient_hosting\.[a-z_.]+` \| \w+ \| `[^`]+` \|", RegexOptions.Multiline)]
    private static partial Regex InstrumentRow();
}
