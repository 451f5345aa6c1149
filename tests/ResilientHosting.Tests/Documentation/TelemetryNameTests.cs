using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Aborts.Record;

namespace ResilientHosting.Tests.Documentation;

/// <summary>Log events and instruments are called what they are called, on every page.</summary>
public sealed partial class TelemetryNameTests
{
    [Fact]
    public void Event_NamedWithItsId_IsThatEvent()
    {
        var events = typeof(ClientAbortOptions).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .ToDictionary(message => message.EventName!, message => message.EventId);

        Findings.AssertNone(
            from page in MarkdownPage.All()
            from named in Event().Matches(page.Text)
            where events.GetValueOrDefault(named.Groups["name"].Value) != int.Parse(named.Groups["id"].Value, CultureInfo.InvariantCulture)
            select $"{page}: {named.Value}");
    }

    [Fact]
    public void Instrument_NamedByAnyPage_IsInTheTables()
    {
        var tables = MarkdownPage.Load("docs/telemetry.md").Rows.Select(row => row.Cells[0].Trim('`')).ToList();

        Findings.AssertNone(
            from page in MarkdownPage.All()
            from name in InstrumentOrTag().Matches(page.Text)
            where !page.Name.StartsWith("docs/telemetry", StringComparison.Ordinal) && !tables.Contains(name.Value)
            select $"{page}: {name.Value}");
    }

    [Fact]
    public async Task Instruments_OfResources_AreDocumentedWithTheirKindAndUnit()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRequestScopedResource("some", (_, _) => ValueTask.FromResult(new object())).UsePool();
        await using var app = builder.Build();
        using var measurements = new Measurements(app);
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync(TestContext.Current.CancellationToken);
        var documented = MarkdownPage.Load("docs/telemetry.md").Rows
            .Where(row => row.Section is "Instruments of every resource" or "Instruments of a pool" && row.Cells[0].StartsWith('`'))
            .Select(row => (row.Cells[0].Trim('`'), row.Cells[1], row.Cells[2].Trim('`')));

        var real = measurements.Instruments
            .Where(instrument => instrument.Name.StartsWith("resilient_hosting.", StringComparison.Ordinal))
            .Select(instrument => (instrument.Name, KindOf(instrument), instrument.Unit!));

        Assert.Equal(real.Order(), documented.Order());
    }

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0];

    [GeneratedRegex(@"`(?<name>[A-Z]\w+)` \((?<id>\d{4})\)")]
    private static partial Regex Event();

    [GeneratedRegex(@"\bresilient_hosting\.[a-z_]+(\.[a-z_]+)*")]
    private static partial Regex InstrumentOrTag();
}
