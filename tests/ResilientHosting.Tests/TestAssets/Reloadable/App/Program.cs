using System.Runtime.Loader;
using Library;
using ResilientHosting.Reloading;

// Tests put code here: it runs before the host is built.
var builder = WebApplication.CreateBuilder(args);
if (builder.Configuration.GetValue("AddDevReloader", true))
{
    builder.Services.AddDevReloader(options => builder.Configuration.Bind("DevReloader", options));
}

builder.Services.AddSingleton(new Message("registered"));
if (builder.Configuration.GetValue("Pooled", false))
{
    builder.Services.AddPooled();
}

builder.Services.AddSingleton<FailingService>().AddHostedService(services => services.GetRequiredService<FailingService>());

var app = builder.Build();
if (app.Configuration.GetValue("UseDevReloader", true))
{
    app.UseDevReloader();
}

app.AnnounceStart();
app.Lifetime.ApplicationStopping.Register(() => Console.WriteLine("application: stopping"));

app.MapGet("/", () => "original");
app.MapGet("/message", (Message message) => message.Text);
app.MapGet("/pid", () => Environment.ProcessId);
app.MapGet("/added", () => string.Join(",", typeof(Message).Assembly.GetTypes().Where(type => type.Namespace == "Added").Select(type => type.Name)));
app.MapGet("/library", () => $"{AssemblyLoadContext.GetLoadContext(typeof(Counter).Assembly)!.Name}: {Counter.Next()}");
app.MapPost("/echo", async (HttpRequest request) =>
{
    using var reader = new StreamReader(request.Body);
    return await reader.ReadToEndAsync();
});
app.MapGet("/reloader", () => Reloader().Generation);
app.MapGet("/reloader/history", () => Reloader().History);
app.MapPost("/reloader/reload", (string reason) => Reloader().RequestReload(reason));
app.MapPost("/reloader/pause", () => Reloader().Pause());
app.MapPost("/reloader/resume", () => Reloader().Resume());
if (app.Configuration.GetValue("Pooled", false))
{
    app.MapPooled();
}

app.MapFailures();
app.MapLongRequests();
app.MapInside();
app.MapRefreshPages();
app.Run();
Failures.AtTheEnd();

IDevReloader Reloader() => app.Services.GetRequiredService<IDevReloader>();
