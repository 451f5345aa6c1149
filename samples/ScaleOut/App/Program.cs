using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Caching.Distributed;
using ScaleOut.Infrastructure;
using ScaleOut.Orders;
using ScaleOut.Payments;

var builder = WebApplication.CreateBuilder(args);

// Connections to PgBouncer, kept and lent to one request at a time. How many of them reach the database is PgBouncer's to say.
builder.Services.AddRequestScopedResource(Database.OpenAsync)
    .UsePool(Database.ConfigurePool).BindConfiguration("Pool").AddHealthCheck();

// A request's writes: committed before the answer is written, so that nobody is told "created" about what could not be saved.
builder.Services.AddRequestScopedResource(Database.BeginAsync, Database.EndAsync).ReleaseAfterHandler();

// What the replicas tell each other: a payment that is sent again to another replica than the first waits there for the first one's.
builder.Services.AddSingleton<IDistributedCache>(static services =>
    new PostgreSqlCache(services.GetRequiredService<Database>().ForCache));
builder.Services.AddClientAbortTolerance(options => options.Adoption.CacheTimeout = TimeSpan.FromSeconds(5));

builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<Database>();
builder.Services.AddSingleton<PaymentProvider>();
builder.Services.AddHostedService<Schema>();
builder.Services.AddOptions<PaceOptions>().BindConfiguration("Pace").ValidateOnStart()
    .Validate(pace => pace.IsValid, "Pace: the durations must not be negative.");

// Stopping, in order: not ready any more, but serving (Drain:Delay); no new connections, the running requests end (ShutdownTimeout).
builder.Services.AddDrain("Drain");
builder.Services.Configure<HostOptions>(builder.Configuration);

builder.Services.AddProblemDetails();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(static endpoint => endpoint.UseClientAbortTolerance()));

var app = builder.Build();

app.UseDrain(readyPath: "/health/ready");
app.UseReplicaName();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseClientAbortTolerance();

app.MapOrders();
app.MapPayments();

// Live: the process answers. Ready: requests may be sent here. Only what is not live is killed, so a database that is away kills nobody.
app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = static _ => false });
app.MapHealthChecks("/health/ready");

app.Run();
