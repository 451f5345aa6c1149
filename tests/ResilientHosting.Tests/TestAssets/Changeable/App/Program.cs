using System.Resources;
using Library;
using ResilientHosting.Reloading;

var builder = WebApplication.CreateBuilder(args);
builder.Configuration.AddJsonFile("appsettings.Start.json", optional: true, reloadOnChange: false);
builder.Services.AddDevReloader(options => builder.Configuration.Bind("DevReloader", options));

var app = builder.Build();
app.UseDevReloader();

app.MapGet("/", () => "original");
app.MapGet("/setting", (IConfiguration configuration) => configuration["Setting"] ?? "none");
app.MapGet("/secret", (IConfiguration configuration) => configuration["Secret"] ?? "none");
app.MapGet("/text", () => new ResourceManager("App.Strings", typeof(Program).Assembly).GetString("Greeting"));
app.MapGet("/area", () => Shapes.Circle.area(2.0));
app.MapGet("/generated", () => Generated.Answer.Text);
app.MapGet("/library", () => Words.Text);
app.MapGet("/added", () => "nothing");
app.Run();
