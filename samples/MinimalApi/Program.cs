using MinimalApi.Activity;
using MinimalApi.Infrastructure;
using MinimalApi.Orders;
using MinimalApi.Payments;
using MinimalApi.Uploads;

var builder = WebApplication.CreateBuilder(args);

// The application's own parts.
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton(services => services.GetRequiredService<IConfiguration>().GetSection("Pace").Get<PaceOptions>() ?? new());
builder.Services.AddSingleton<DataFolder>();
builder.Services.AddSingleton(services =>
    Database.Create(services.GetRequiredService<IConfiguration>(), services.GetRequiredService<DataFolder>()));
builder.Services.AddHostedService<OrderSchema>();
builder.Services.AddSingleton<OrderFeed>();
builder.Services.AddSingleton<SalesReportBuilder>();
builder.Services.AddSingleton<PaymentProvider>();
builder.Services.AddSingleton<UploadFolder>();
builder.Services.AddSingleton<ActivityLog>();

// What every answer shares: JSON written at compile time, errors as problem details.
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, AppJsonContext.Default));
builder.Services.AddProblemDetails();
builder.Services.AddExceptionHandler<BadRequestHandler>();

var app = builder.Build();

app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseActivityLog();

// A client that leaves is normal: its work stops, or goes on where the endpoint says so, and nothing is logged as an error.
app.UseClientAbortTolerance();

app.UseFileServer();

// Change the greeting and save: the front page shows it a moment later, with a new generation number.
app.MapGet("/greeting", () => "Welcome to the order desk.");
app.MapOrders();
app.MapPayments();
app.MapUploads();
app.MapActivity();

app.Run();
