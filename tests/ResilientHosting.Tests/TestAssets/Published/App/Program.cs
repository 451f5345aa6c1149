var builder = WebApplication.CreateSlimBuilder(args);
builder.Services.AddDevReloader();
builder.Services.AddDevReloader();

var app = builder.Build();
app.UseDevReloader();
app.UseDevReloader();
app.MapGet("/", () => "served");
app.MapGet("/assemblies", () => string.Join(' ', AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name)));
app.Run();
