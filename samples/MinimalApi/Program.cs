using MinimalApi.Activity;
using MinimalApi.Infrastructure;
using MinimalApi.Orders;
using MinimalApi.Payments;
using MinimalApi.Uploads;

var builder = WebApplication.CreateBuilder(args);

// Save a source file, and the next request is answered by a new start of this program. This call lets even the first one be seamless.
builder.Services.AddDevReloader();

// Had when a handler first asks for it, ended once: the connection goes back to its pool when the request has ended; what it wrote is
// committed or rolled back, and what it uploaded is kept or deleted, as its outcome decides. These two end before the answer is written:
// nobody is told "created" about an order that then could not be saved.
builder.Services.AddRequestScopedResource(Database.OpenAsync)
    .UsePool(Database.ConfigurePool).BindConfiguration("Pool").AddHealthCheck();
builder.Services.AddRequestScopedResource(OrderChanges.BeginAsync, OrderChanges.EndAsync).ReleaseAfterHandler();
builder.Services.AddRequestScopedResource(IncomingFile.CreateAsync, IncomingFile.EndAsync).ReleaseAfterHandler();

// The application's own parts, one of each for all requests.
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<DataFolder>();
builder.Services.AddSingleton(Database.Create);
builder.Services.AddSingleton<ActivityLog>();
builder.Services.AddSingleton<OrderFeed>();
builder.Services.AddSingleton<SalesReportBuilder>();
builder.Services.AddSingleton<PaymentProvider>();
builder.Services.AddSingleton<UploadFolder>();
builder.Services.AddHostedService<OrderSchema>();
builder.Services.AddOptions<PaceOptions>().BindConfiguration("Pace").ValidateOnStart()
    .Validate(pace => pace.IsValid, "Pace: the durations must not be negative, and UploadBytesPerSecond must be above zero.");

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

// Development only: anywhere else this line does nothing.
app.UseDevReloader();

app.UseFileServer();

// Change the greeting and save: the front page shows it a moment later, with a new generation number.
app.MapGet("/greeting", () => "Welcome to the order desk.");
app.MapOrders();
app.MapPayments();
app.MapUploads();
app.MapActivity();
app.MapHealthChecks("/health");

app.Run();
