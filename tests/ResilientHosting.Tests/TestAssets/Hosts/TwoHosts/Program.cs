// A bootstrap host comes first: it runs, is used, and ends before the application's own host is built.
string greeting;
using (var bootstrap = Host.CreateApplicationBuilder(args).Build())
{
    await bootstrap.StartAsync();
    greeting = bootstrap.Services.GetRequiredService<IHostEnvironment>().EnvironmentName;
    await bootstrap.StopAsync();
}

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddDevReloader();
var app = builder.Build();
app.UseDevReloader();
app.MapGet("/", () => "body: v1");
app.MapGet("/bootstrap", () => greeting);

// A second web host, on a port of its own, which ends when somebody ends it.
var admin = WebApplication.CreateBuilder([.. args, $"--urls={builder.Configuration["AdminUrl"]}"]).Build();
admin.MapGet("/", () => "admin: v1");
await Task.WhenAll(app.RunAsync(), admin.RunAsync());
