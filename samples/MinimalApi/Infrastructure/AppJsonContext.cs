using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using MinimalApi.Activity;
using MinimalApi.Orders;
using MinimalApi.Payments;
using MinimalApi.Uploads;

namespace MinimalApi.Infrastructure;

/// <summary>Serializers written at compile time: a restarted host answers its first request without generating code.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(List<Order>))]
[JsonSerializable(typeof(NewOrder))]
[JsonSerializable(typeof(SalesReport))]
[JsonSerializable(typeof(NewPayment))]
[JsonSerializable(typeof(Payment))]
[JsonSerializable(typeof(IReadOnlyList<StoredFile>))]
[JsonSerializable(typeof(IReadOnlyList<ActivityEntry>))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(HttpValidationProblemDetails))]
internal sealed partial class AppJsonContext : JsonSerializerContext;
