using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

// Nothing here names the reloader: a hosting startup switches it on.
var builder = WebApplication.CreateBuilder(args);
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, Json.Default));
builder.Services.AddHostedService<Ticker>();
builder.Services.AddSingleton(new Greeting("start-up: v1"));

var app = builder.Build();
app.MapGet("/", () => "body: v1");
app.MapGet("/start-up", (Greeting greeting) => greeting.Text);
app.MapGet("/json", () => new Note("json: v1", 1));
app.MapGet("/regex", (string text) => Patterns.Word().Match(text).Value);
app.MapGet("/log", () =>
{
    var log = new TextLog();
    Messages.Visited(log, 1);
    return log.Text;
});
app.MapGet("/ticker", (IEnumerable<IHostedService> services) => services.OfType<Ticker>().Single().Text);
await app.RunAsync();

internal sealed record Greeting(string Text);

internal sealed record Note(string Text, int Number);

[JsonSerializable(typeof(Note))]
internal sealed partial class Json : JsonSerializerContext;

internal static partial class Patterns
{
    [GeneratedRegex("[a-z]+")]
    public static partial Regex Word();
}

internal static partial class Messages
{
    [LoggerMessage(1, LogLevel.Warning, "visited v1 {Times} times")]
    public static partial void Visited(ILogger logger, int times);
}

internal sealed class TextLog : ILogger
{
    public string Text { get; private set; } = "";

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Text = formatter(state, exception);
}

/// <summary>A worker beside the web host.</summary>
internal sealed class Ticker : BackgroundService
{
    public string Text { get; private set; } = "not started";

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Text = "worker: v1";
        return Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
